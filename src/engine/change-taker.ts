import type { Clock, Logger, Timers } from '../core/ports.ts';
import type { IssuerMessage, Receipt } from '../core/issuer-message.ts';
import { formatProblem, type Problem } from '../core/problem.ts';
import type { DocumentStatus, MissingMaterial, ProviderCondition, ServiceStatus } from '../core/status.ts';
import type { IdentityPorts } from '../phases/identity/identity-ports.ts';
import type { IdentityProvider } from '../phases/identity/identity-provider.ts';
import type { Revocations } from '../phases/identity/revocation/revocations.ts';
import { ownHeaders } from '../phases/response/compile-upstream.ts';
import type { GrantSetting } from '../policy/check-hosts.ts';
import { refsOfSpec, routesOf } from '../policy/material-refs.ts';
import type { IdentityProviderSpec } from '../policy/provider-spec.ts';
import type { MaterialRef } from '../policy/spec.ts';
import { specKey } from '../policy/spec-name.ts';
import { runAtOnce, runInSlices, type Pace, type Steps } from '../std/steps.ts';
import { createCatalog, type CatalogSettings, type LiveCatalog, type PreparedCatalog } from './catalog.ts';
import { isPolicy, type CatalogEntry } from './catalog-entry.ts';
import type { DocumentChange } from './documents.ts';
import { createFirstLoads, type FirstLoads } from './first-loads.ts';
import type { Haste } from './haste.ts';
import type { EntryChanges } from './entry-index.ts';
import { logChange } from './log-change.ts';
import { createPolicyCompiler, type PolicyCompiler, type PreparedPolicies } from './policy-compiler.ts';
import type { CreateProvider } from '../phases/identity/create-provider.ts';
import { createProviderPool, type PreparedProviders, type ProviderPool } from './provider-pool.ts';
import { changedPlaces } from './shadow-table.ts';
import { buildSnapshot, type Snapshot, type SnapshotSettings } from './snapshot.ts';
import { toKnownProvider, type KnownProvider } from './known-provider.ts';
import { toCondition } from './provider-condition.ts';
import { createUnusableTeller } from './tell-unusable.ts';
import { createStatusBoard, type PreparedStatuses, type StatusBoard } from './status-board.ts';

/** One change of what the service knows. */
export interface Change extends DocumentChange {
  /** True where it comes of a reading of the whole source, which counts as news though it changes nothing. */
  readonly isWhole: boolean;
  /** Called once the change is in force. */
  readonly commit: () => void;
}

export interface Turn {
  /** Of the change, by the monotonic clock. */
  readonly arrivedAt: number;
  /** Where it is on, keys of new providers are not waited for, or no longer; the first change of all waits for everybody. */
  readonly haste: Haste;
}

/** Takes changes in, one at a time: whoever calls waits for one before the next. */
export interface ChangeTaker {
  /** Resolves once what is good of the change is in force. Where it rejects, all is as it was. */
  take(change: Change, turn: Turn): Promise<void>;
  /** Undefined before the first change. */
  snapshot(): Snapshot | undefined;
  status(): Omit<ServiceStatus, 'lastReadAt'>;
  documentStatus(key: string): DocumentStatus | undefined;
  /** Of a provider that runs. */
  providerCondition(key: string): ProviderCondition | undefined;
  /** Hands a message of an issuer to the provider of the key. Never rejects. */
  receive(key: string, message: IssuerMessage): Promise<Receipt>;
  /** The issuer of the tokens that a provider that runs judges; undefined where there is none. */
  issuerOf(key: string): string | undefined;
  knownProviders(): readonly KnownProvider[];
  /** What a provider that runs refers to and that is not there. */
  missingMaterials(key: string): readonly MissingMaterial[];
  /** The keys of the providers that the version in force of a policy names, whether they run or not. */
  providersOf(key: string): readonly string[];
  referencesOf(key: string): readonly MaterialRef[];
  close(): void;
}

export interface TakerSettings {
  readonly hostGrants: GrantSetting;
  readonly ownedHeaders: readonly string[];
  readonly keyLoadTimeoutMs: number;
  readonly parse: CatalogSettings['parse'];
}

export interface TakerPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly identity: IdentityPorts;
  readonly revocations: Revocations;
  readonly createProvider?: CreateProvider;
  /** Undefined: without a pause. */
  readonly pace: Pace | undefined;
  readonly tell: (news: { readonly revision: number; readonly keys: readonly string[] }) => void;
}

/** All that is computed of a change before anything of it is in force. */
interface Prepared {
  readonly catalog: PreparedCatalog;
  readonly providers: PreparedProviders;
  readonly policies: PreparedPolicies;
  readonly statuses: PreparedStatuses;
  readonly snapshot: Snapshot;
}

interface Parts {
  readonly catalog: LiveCatalog;
  readonly pool: ProviderPool;
  readonly compiler: PolicyCompiler;
  readonly board: StatusBoard;
  readonly tellUnusable: ReturnType<typeof createUnusableTeller>;
  readonly loads: FirstLoads;
  readonly snapshots: SnapshotSettings;
  readonly run: <T>(steps: Steps<T>) => Promise<T>;
  snapshot: Snapshot | undefined;
  isClosed: boolean;
}

/** An issuer of one namespace that does not answer must not hold up the changes of all others for long, milliseconds. */
const laterPatienceMs = 1000;

export function createChangeTaker(settings: TakerSettings, ports: TakerPorts): ChangeTaker {
  const { pace } = ports;
  const pool = createProviderPool(ports.identity, ports.revocations, ports.createProvider);
  const parts: Parts = {
    catalog: createCatalog({ grants: settings.hostGrants, parse: settings.parse }),
    pool,
    tellUnusable: createUnusableTeller(pool.running, ports.logger),
    compiler: createPolicyCompiler(),
    board: createStatusBoard(),
    loads: createFirstLoads(ports.timers),
    snapshots: { ownedHeaders: ownHeaders(settings.ownedHeaders), grants: settings.hostGrants },
    run: async (steps) => (pace === undefined ? runAtOnce(steps) : runInSlices(steps, pace)),
    snapshot: undefined,
    isClosed: false,
  };
  const { catalog, board } = parts;
  return {
    take: async (change, { arrivedAt, haste }) => {
      // Who waited behind another change has had its patience.
      const patience =
        parts.snapshot === undefined ? settings.keyLoadTimeoutMs : Math.min(settings.keyLoadTimeoutMs, laterPatienceMs);
      const patienceMs = (): number => patience - (ports.clock.monotonic() - arrivedAt);
      const isHasty = (namespace: string): boolean => parts.snapshot !== undefined && haste.isOn(namespace);
      const prepared = await prepareChange(change, parts, (fresh) =>
        parts.loads.wait(fresh, Math.max(0, patienceMs()), { ...haste, isOn: isHasty }),
      );
      if (parts.isClosed) prepared.providers.discard();
      else commitChange(change, prepared, parts, ports);
    },
    snapshot: () => parts.snapshot,
    status: () => ({
      ready: parts.snapshot !== undefined,
      revision: parts.snapshot?.revision ?? 0,
      documents: board.documents(),
      providers: [...pool.running].map(([key, running]) => toCondition(key, running)),
      problems: catalog.problems,
    }),
    documentStatus: (key) => board.document(key),
    providerCondition: (key) => conditionOf(key, pool),
    receive: async (key, message) => {
      const provider = pool.running.get(key)?.provider;
      const receive = provider?.layer === 'message' ? provider.receive : undefined;
      return receive === undefined ? nobodyReceives : receive(message);
    },
    issuerOf: (key) => {
      const spec = pool.running.get(key)?.provider.spec;
      return spec !== undefined && 'issuer' in spec ? spec.issuer : undefined;
    },
    knownProviders: () => Array.from(pool.running.values(), ({ provider }) => toKnownProvider(provider.spec)),
    missingMaterials: (key) => pool.running.get(key)?.missing ?? [],
    providersOf: (key) => providersOf(catalog.index.entry(key)),
    referencesOf: (key) => referencesOf(catalog.index.entry(key)),
    close: () => {
      parts.isClosed = true;
      pool.close();
    },
  };
}

function conditionOf(key: string, { running }: ProviderPool): ProviderCondition | undefined {
  const found = running.get(key);
  return found && toCondition(key, found);
}

function providersOf({ inForce }: Partial<CatalogEntry> = {}): readonly string[] {
  return inForce?.kind === 'AccessPolicy' ? inForce.providers.map(specKey) : [];
}

/** What the last good version refers to, and a newer one that was refused, as far as it can be read. */
function referencesOf({ lastGood, refused }: Partial<CatalogEntry> = {}): readonly MaterialRef[] {
  return [
    ...(lastGood === undefined ? [] : refsOfSpec(lastGood)),
    ...(refused?.policy === undefined ? [] : routesOf(refused.policy)),
  ];
}

const nobodyReceives: Receipt = {
  kind: 'refused',
  error: 'not_found',
  description: 'No provider of that name takes such messages.',
};

/** Computes all of a change, in slices. Throws without a trace. */
async function prepareChange(
  change: DocumentChange,
  { catalog, pool, compiler, board, snapshots, snapshot, run }: Parts,
  waitForKeys: (fresh: readonly IdentityProvider[]) => Promise<void>,
): Promise<Prepared> {
  const prepared = await run(catalog.prepare(change));
  const { entries, changedMaterials, findMaterial } = prepared;
  const providers = await run(pool.prepare({ specs: providerSpecs(entries), changedMaterials, findMaterial }));
  try {
    if (providers.fresh.length > 0) await waitForKeys(providers.fresh);
    const entryOf = (key: string): CatalogEntry | undefined =>
      entries.has(key) ? entries.get(key) : catalog.index.entry(key);
    const keys = new Set(entries.keys());
    for (const provider of providers.changed) for (const key of catalog.index.usersOf(provider)) keys.add(key);
    const policies = await run(compiler.prepare(keys, entryOf, providers));
    const { changedRoutes: routes, route: routeOf } = prepared;
    const next = await run(buildSnapshot(snapshot, { policies: policies.changes, routes, routeOf }, snapshots));
    const told = new Map(entries);
    for (const route of routes)
      for (const key of catalog.index.attachedTo(route)) if (!told.has(key)) told.set(key, catalog.index.entry(key));
    const { unjudged } = next.attachments.shadowTable;
    for (const key of changedPlaces(snapshot?.attachments.shadowTable.unjudged, unjudged))
      if (!told.has(key)) told.set(key, entryOf(key));
    const statuses = await run(board.prepare(told, { route: routeOf, unjudged: (key) => unjudged.get(key) }));
    return { catalog: prepared, providers, policies, statuses, snapshot: next };
  } catch (thrown) {
    providers.discard();
    throw thrown;
  }
}

/** Puts a change in force. From the first line to the last nothing waits, so that nobody sees a half of it. */
function commitChange(change: Change, prepared: Prepared, parts: Parts, { logger, tell }: TakerPorts): void {
  const { catalog, board } = parts;
  const knownProblems = catalog.problems;
  prepared.catalog.commit();
  prepared.policies.commit();
  prepared.statuses.commit();
  const problems = sameProblems(knownProblems, catalog.problems) ? undefined : catalog.problems;
  const { changes: statuses } = prepared.statuses;
  const changes =
    statuses.length +
    prepared.policies.changes.length +
    prepared.providers.changed.size +
    prepared.catalog.changedRoutes.size;
  const isNews = change.isWhole || parts.snapshot === undefined || problems !== undefined || changes > 0;
  if (isNews) parts.snapshot = prepared.snapshot;
  prepared.providers.commit();
  parts.tellUnusable(prepared.providers.news);
  change.commit();
  const keys = changedKeys(prepared, catalog);
  if (!isNews) {
    // What is served is the same, and its providers say something else of themselves.
    if (keys.length > 0) tell({ revision: parts.snapshot?.revision ?? 0, keys });
    return;
  }
  const { revision } = prepared.snapshot;
  logChange(logger, { revision, statuses, problems: problems ?? [], tally: board.tally() });
  tell({ revision, keys });
}

/** Documents with another status, and those that providers which are others now stand or fall with. */
function changedKeys({ statuses, providers }: Prepared, { index }: LiveCatalog): readonly string[] {
  const keys = new Set(statuses.changes.map(({ key }) => key));
  for (const provider of providers.news) {
    keys.add(provider);
    if (!providers.concerning.has(provider)) continue;
    for (const user of index.usersOf(provider)) keys.add(user);
  }
  return [...keys];
}

function providerSpecs(entries: EntryChanges): ReadonlyMap<string, IdentityProviderSpec | undefined> {
  const specs = new Map<string, IdentityProviderSpec | undefined>();
  for (const [key, entry] of entries) {
    const { inForce } = entry ?? {};
    // A policy's key names no provider, so that it takes none away.
    specs.set(key, inForce === undefined || isPolicy(inForce) ? undefined : inForce);
  }
  return specs;
}

function sameProblems(a: readonly Problem[], b: readonly Problem[]): boolean {
  return (
    a.length === b.length && a.every((problem, index) => formatProblem(problem) === formatProblem(b[index] ?? problem))
  );
}
