import type { Decision } from '../core/decision.ts';
import { messageOf } from '../core/failure.ts';
import type { Authorizer, Clock, HttpClient, IdentityEvents, Logger, Random, Timers } from '../core/ports.ts';
import { formatProblem, type Problem } from '../core/problem.ts';
import type { RawRequest } from '../core/request.ts';
import type { ServiceStatus } from '../core/status.ts';
import type { Trace } from '../core/trace.ts';
import type { IdentityProvider } from '../phases/identity/identity-provider.ts';
import { defaultIdentitySettings, type IdentitySettings } from '../phases/identity/identity-settings.ts';
import { createTokenCache } from '../phases/identity/token-cache.ts';
import type { ParsedDocument } from '../policy/parse-document.ts';
import { parseOnce } from '../policy/parsed-elsewhere.ts';
import type { GrantSetting } from '../policy/check-hosts.ts';
import type { AuthorDocument, SourceReading } from '../policy/spec.ts';
import { emptyCatalog, nextCatalog, policiesOf, providersOf, toDocumentStatus, type Catalog } from './catalog.ts';
import { createPolicyCompiler } from './policy-compiler.ts';
import { checkRequest, refusal, toShadowOfAll, type CheckSettings } from './check-request.ts';
import { createProviderPool, type CreateProvider } from './provider-pool.ts';
import { buildSnapshot, type Snapshot } from './snapshot.ts';

export interface EngineSettings extends CheckSettings {
  /** The namespace of the Secrets and ConfigMaps of cluster providers. */
  readonly serviceNamespace: string;
  readonly hostGrants: GrantSetting;
  /** Header names, lower case, that only we set, in every namespace (S26). */
  readonly ownedHeaders: readonly string[];
  /** How long a change waits for the first keys of a new provider before it is in force without them, milliseconds. */
  readonly keyLoadTimeoutMs: number;
  /** Limits of keys and tokens; a default stands for each that is absent. */
  readonly identity: Partial<IdentitySettings>;
}

export interface EnginePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly http: HttpClient;
  readonly events: IdentityEvents;
  /** Undefined: providers as they serve. */
  readonly createProvider?: CreateProvider;
}

/** Decides requests by the documents it was given last. */
export interface Engine extends Authorizer {
  /** Takes a reading of the source in; resolves once what is good of it is in force, or a later reading has taken its place. Never rejects. */
  apply(reading: SourceReading): Promise<void>;
  /** Tells that the source was read without a failure, changed or not. */
  noteRead(): void;
  /** As `check`, telling every step of the way to the decision. */
  explain(raw: RawRequest, trace: Trace): Promise<Decision>;
  status(): ServiceStatus;
  close(): void;
}

export function createEngine(settings: EngineSettings, ports: EnginePorts): Engine {
  const identity: IdentitySettings = { ...defaultIdentitySettings, ...settings.identity };
  const tokens = createTokenCache({ maxEntries: identity.tokenCacheEntries, maxBytes: identity.tokenCacheBytes });
  const pool = createProviderPool({ ...ports, settings: identity, tokens }, ports.createProvider);
  const compiler = createPolicyCompiler();
  const waitForKeys = createFirstLoads(ports.timers, settings.keyLoadTimeoutMs);
  const parsed = new WeakMap<AuthorDocument, ParsedDocument>();
  const parse = (document: AuthorDocument): ParsedDocument => {
    const known = parsed.get(document);
    if (known !== undefined) return known;
    const result = parseOnce(document, settings);
    parsed.set(document, result);
    return result;
  };
  let catalog: Catalog = emptyCatalog;
  let providers: ReadonlyMap<string, IdentityProvider> = new Map();
  let snapshot: Snapshot | undefined;
  let lastReadAt: number | undefined;
  let newest = 0;

  const apply = async (reading: SourceReading): Promise<void> => {
    const number = ++newest;
    const next = nextCatalog(catalog, reading, { grants: settings.hostGrants, parse });
    const running = pool.ensure(providersOf(next.entries.values()), next.materials);
    const fresh = [...running].flatMap(([key, provider]) => (providers.get(key) === provider ? [] : [provider]));
    if (fresh.length > 0) await Promise.all(fresh.map(waitForKeys));
    if (number !== newest) return;
    const compiled = compiler.compile(policiesOf(next), next.refusedPolicies, running);
    const built = buildSnapshot({ ...compiled, ownedHeaders: settings.ownedHeaders }, snapshot);
    logChanges(ports.logger, catalog, next, built.revision);
    snapshot = built;
    catalog = next;
    providers = running;
    pool.retain(running);
  };

  return {
    apply: async (reading) => {
      try {
        await apply(reading);
      } catch (thrown) {
        ports.logger.error(
          { error: messageOf(thrown) },
          'a change could not be taken in; what was in force stays in force',
        );
      }
    },
    noteRead: () => {
      lastReadAt = ports.clock.now();
    },
    status: () => toStatus(catalog, providers, snapshot, lastReadAt),
    close: () => pool.close(),
    refuse: (code) => {
      const decision = refusal(ports.random.id(), code);
      return settings.shadowAll ? toShadowOfAll(decision) : decision;
    },
    check: (raw) => checkRequest(raw, snapshot, settings, ports),
    explain: async (raw, trace) => checkRequest(raw, snapshot, settings, { ...ports, trace }),
  };
}

/**
 * Waits until a provider has tried its keys once, or the time since it was first waited for is over: changes that come faster than that
 * do not put each other off for ever.
 */
function createFirstLoads(timers: Timers, timeoutMs: number): (provider: IdentityProvider) => Promise<void> {
  const waits = new WeakMap<IdentityProvider, Promise<void>>();
  return (provider) => {
    const known = waits.get(provider);
    if (known !== undefined) return known;
    const wait = new Promise<void>((resolve) => {
      const cancel = timers.after(timeoutMs, resolve);
      void Promise.allSettled([provider.firstLoad]).then(() => {
        cancel();
        resolve();
      });
    });
    waits.set(provider, wait);
    return wait;
  };
}

/** One line for each document whose standing or Problems changed, and one for the change as a whole. */
function logChanges(logger: Logger, before: Catalog, after: Catalog, revision: number): void {
  for (const entry of after.entries.values()) {
    const known = before.entries.get(entry.key);
    const { serving } = toDocumentStatus(entry);
    if (known !== undefined && known.refused === entry.refused && sameProblems(known.problems, entry.problems))
      continue;
    if (entry.problems.length === 0 && entry.refused === undefined && known?.refused === undefined) continue;
    const fields = { document: entry.key, serving, problems: entry.problems.map(formatProblem) };
    if (entry.refused === undefined) logger.info(fields, 'a document is accepted');
    else logger.warn(fields, 'a document is refused');
  }
  if (!sameProblems(before.problems, after.problems)) {
    for (const problem of after.problems) logger.warn({ problem: formatProblem(problem) }, 'a document cannot be used');
  }
  const refused = [...after.entries.values()].filter((entry) => entry.refused !== undefined).length;
  logger.info({ revision, documents: after.entries.size, refused }, 'policies are in force');
  // A floor only restricts, and a policy in shadow mode only watches: neither lets a request through.
  const deciding = policiesOf(after).filter(({ spec }) => spec.kind === 'AccessPolicy' && spec.mode !== 'Shadow');
  if (deciding.length === 0) logger.warn({ revision }, 'no policy is in force: every request is denied');
}

function sameProblems(a: readonly Problem[], b: readonly Problem[]): boolean {
  return (
    a.length === b.length && a.every((problem, index) => formatProblem(problem) === formatProblem(b[index] ?? problem))
  );
}

function toStatus(
  catalog: Catalog,
  providers: ReadonlyMap<string, IdentityProvider>,
  snapshot: Snapshot | undefined,
  lastReadAt: number | undefined,
): ServiceStatus {
  const documents = [...catalog.entries.values()].map(toDocumentStatus).sort((a, b) => (a.key < b.key ? -1 : 1));
  return {
    ready: snapshot !== undefined,
    revision: snapshot?.revision ?? 0,
    lastReadAt,
    documents,
    providers: [...providers].map(([key, provider]) => ({ key, ...provider.status() })),
    problems: catalog.problems,
  };
}
