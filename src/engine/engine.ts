import { forwardedCertificateHeader } from '../canonical/forwarded-certificate.ts';
import type { Decision } from '../core/decision.ts';
import { messageOf } from '../core/failure.ts';
import type {
  Authorizer,
  Clock,
  ExpressionEvents,
  HttpClient,
  IdentityEvents,
  KubernetesReviews,
  Logger,
  PasswordChecker,
  Random,
  ReplayStore,
  SharedList,
  Timers,
} from '../core/ports.ts';
import type { RevocationControl } from '../core/revocation.ts';
import type { RawRequest } from '../core/request.ts';
import type { DocumentStatus, MissingMaterial, ProviderCondition, ServiceStatus } from '../core/status.ts';
import type { Trace } from '../core/trace.ts';
import { createDpop } from '../phases/identity/dpop/dpop.ts';
import { createMemoryReplayStore } from '../phases/identity/dpop/memory-replay-store.ts';
import type { IdentityPorts } from '../phases/identity/identity-ports.ts';
import { defaultIdentitySettings, type IdentitySettings } from '../phases/identity/identity-settings.ts';
import { createTokenCache } from '../phases/identity/jwt/token-cache.ts';
import { createRevocations, type Revocations } from '../phases/identity/revocation/revocations.ts';
import {
  defaultRevocationSettings,
  type RevocationSettings,
} from '../phases/identity/revocation/revocation-settings.ts';
import { parseOnce } from '../policy/parsed-elsewhere.ts';
import type { GrantSetting } from '../policy/check-hosts.ts';
import type { MaterialRef, SourceChange, SourceReading } from '../policy/spec.ts';
import { compileAddressSet } from '../std/ip.ts';
import type { KnownProvider } from './known-provider.ts';
import { createMessageReceiver, type ReceiveMessage } from './receive-message.ts';
import { createChangeQueue } from './change-queue.ts';
import { createChangeTaker } from './change-taker.ts';
import { checkRequest, refusal, toShadowOfAll, type CheckPorts, type CheckSettings } from './check-request.ts';
import { createClosedNamespaces } from './closed-namespaces.ts';
import { createUnroutedChecks, type UnroutedChecks } from './unrouted-checks.ts';
import type { CreateProvider } from '../phases/identity/create-provider.ts';

export interface EngineSettings extends Omit<CheckSettings, 'mayForwardCertificates'> {
  /** The namespace of the Secrets and ConfigMaps of cluster providers. */
  readonly serviceNamespace: string;
  readonly hostGrants: GrantSetting;
  /** Header names, lower case, that only we set, in every namespace (S26). */
  readonly ownedHeaders: readonly string[];
  /**
   * Ranges of direct peers that are believed about the certificates of their clients (x-forwarded-client-cert); none where it is absent.
   * With any, the header is one that only we may set.
   */
  readonly forwardedClientCertFrom?: readonly string[];
  /** How long a change waits for the first keys of a new provider before it is in force without them, milliseconds. */
  readonly keyLoadTimeoutMs: number;
  /** Limits of keys and tokens; a default stands for each that is absent. */
  readonly identity: Partial<IdentitySettings>;
  /** What DPoP nonces are made with, shared by all replicas; absent: a key of this process alone. */
  readonly dpopNonceKey?: Uint8Array | undefined;
  /** Limits of revocations; a default stands for each that is absent. */
  readonly revocations?: Partial<RevocationSettings>;
}

export interface EnginePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly http: HttpClient;
  readonly passwords: PasswordChecker;
  readonly events: IdentityEvents & ExpressionEvents;
  /** What remembers used DPoP proofs; undefined: the memory of this process. */
  readonly replays?: ReplayStore | undefined;
  /** Undefined where there is no cluster to ask: then tokens of service accounts and questions about access are denied. */
  readonly reviews?: KubernetesReviews | undefined;
  /** Where replicas share revocations; undefined: each has its own. */
  readonly sharedRevocations?: SharedList | undefined;
  /** Undefined: providers as they serve. */
  readonly createProvider?: CreateProvider;
  /** Lets everybody else have their turn; undefined: nobody else waits, and changes are taken in without a pause. */
  readonly pause?: () => Promise<void>;
  /** Told of every check that does not say which route the proxy chose; `namespace/name` of the policy that it is for. */
  readonly onUnroutedCheck?: ((policy: string) => void) | undefined;
}

/** Decides requests by the documents it was given last. Changes are taken in one after the other, in the order in which they come. */
export interface Engine extends Authorizer {
  /**
   * Takes a reading of a whole source in (a folder): the difference to the one before. Resolves once what is good of it is in force: with false
   * where, for a bug, something of it could not be taken in and what was in force stays so. Never rejects.
   */
  apply(reading: SourceReading): Promise<boolean>;
  /** As `apply`, a change of a source (a cluster), at a cost proportional to the change. */
  applyChange(change: SourceChange): Promise<boolean>;
  /** Such a change is about to come: nobody waits for keys of providers of others until the returned function is called. */
  hasten(change: SourceChange): () => void;
  /** From now on checks that do not say which route the proxy chose are denied on all hosts of these namespaces alone (S7). */
  closeUnrouted(namespaces: ReadonlySet<string>): void;
  /** Such a check came to another process that serves the same. */
  noteUnrouted(policy: string): void;
  /** As `check`, telling every step of the way to the decision. */
  explain(raw: RawRequest, trace: Trace): Promise<Decision>;
  /** Without when the source was read, which the source knows. */
  status(): EngineStatus;
  /** The status of one document; undefined where there is none. */
  documentStatus(key: string): DocumentStatus | undefined;
  /** Of a provider that runs; undefined where there is none. */
  providerCondition(key: string): ProviderCondition | undefined;
  /** The providers that run, as revocations name them. */
  readonly knownProviders: () => readonly KnownProvider[];
  /** What a provider that runs refers to and that is not there. */
  missingMaterials(key: string): readonly MissingMaterial[];
  /** The keys of the providers that the version in force of a policy names, whether they run or not. */
  providersOf(key: string): readonly string[];
  /** The Secrets, ConfigMaps and routes that the version in force of a document refers to, and a newer one that was refused. */
  referencesOf(key: string): readonly MaterialRef[];
  /** What remembers used proofs. */
  readonly replays: ReplayStore;
  /** What is revoked, and how more comes to it. */
  readonly revocations: RevocationControl;
  /** Takes what an issuer tells of its tokens, for the provider of that name. Never rejects. */
  readonly receive: ReceiveMessage;
  /** Calls after every change that was taken in; the returned function ends it. */
  readonly onChange: (listener: (change: StatusNews) => void) => () => void;
  close(): void;
}

export type EngineStatus = Omit<ServiceStatus, 'lastReadAt'>;

/** What a change changed of what is told. */
export interface StatusNews {
  readonly revision: number;
  /** The documents whose status is another one now, or that are gone, and those whose providers are others. */
  readonly keys: readonly string[];
}

/** A slice of work holds decisions up for no longer than this, milliseconds; a part that cannot be cut may add as much. */
const sliceMs = 2;

export function createEngine(settings: EngineSettings, ports: EnginePorts): Engine {
  const { clock, logger } = ports;
  const revocations = createRevocationsOf(settings, ports);
  const { tell, onChange } = createTeller(logger);
  const { ownedHeaders, mayForwardCertificates } = readForwarders(settings);
  const { identity, replays } = toIdentityPorts(settings, ports);
  const taker = createChangeTaker(
    { ...settings, ownedHeaders, parse: (document) => parseOnce(document, settings) },
    {
      ...ports,
      identity,
      revocations,
      pace: ports.pause && { now: () => clock.monotonic(), sliceMs, pause: ports.pause },
      tell,
    },
  );
  const queue = createChangeQueue(taker, clock, logger);
  const tellUnrouted = (policy: string): void => {
    logger.warn({ policy }, 'a check for a route does not say which route the proxy chose, and is denied');
    tell({ revision: taker.snapshot()?.revision ?? 0, keys: [`AccessPolicy ${policy}`] });
  };
  const unrouted = createUnroutedChecks(clock, tellUnrouted, ports.onUnroutedCheck);
  const checking: CheckSettings = { ...settings, mayForwardCertificates };
  const closed = createClosedNamespaces(settings.hostGrants);
  const serving: CheckPorts = { ...ports, closed, onUnrouted: (policy) => unrouted.note(policy) };
  const hurried: CheckPorts = { ...serving, mayWait: false };

  return {
    apply: (reading) => queue.apply(reading),
    applyChange: (change) => queue.applyChange(change),
    hasten: (change) => queue.hasten(change),
    closeUnrouted: (namespaces) => closed.set(namespaces),
    noteUnrouted: (policy) => unrouted.note(policy),
    status: () => mapDocuments(taker.status(), (one) => withUnrouted(one, unrouted)),
    documentStatus: (key) => {
      const status = taker.documentStatus(key);
      return status && withUnrouted(status, unrouted);
    },
    providerCondition: (key) => taker.providerCondition(key),
    knownProviders: () => taker.knownProviders(),
    missingMaterials: (key) => taker.missingMaterials(key),
    providersOf: (key) => taker.providersOf(key),
    referencesOf: (key) => taker.referencesOf(key),
    replays,
    revocations,
    receive: createMessageReceiver(taker, revocations),
    onChange,
    close: () => {
      taker.close();
      revocations.close();
    },
    refuse: (code) => {
      const decision = refusal(ports.random.id(), code);
      return settings.shadowAll ? toShadowOfAll(decision) : decision;
    },
    check: (raw, mayWait = true) => checkRequest(raw, taker.snapshot(), checking, mayWait ? serving : hurried),
    explain: async (raw, trace) => checkRequest(raw, taker.snapshot(), checking, { ...ports, closed, trace }),
  };
}

/** Where anybody is believed about certificates of clients, the header that says them is ours. */
function readForwarders({
  ownedHeaders,
  forwardedClientCertFrom: forwarders = [],
}: EngineSettings): Pick<CheckSettings, 'mayForwardCertificates'> & Pick<EngineSettings, 'ownedHeaders'> {
  if (forwarders.length === 0) return { ownedHeaders, mayForwardCertificates: undefined };
  return {
    ownedHeaders: [...ownedHeaders, forwardedCertificateHeader],
    mayForwardCertificates: compileAddressSet(forwarders),
  };
}

function mapDocuments(status: EngineStatus, map: (document: DocumentStatus) => DocumentStatus): EngineStatus {
  return { ...status, documents: status.documents.map(map) };
}

function withUnrouted(status: DocumentStatus, unrouted: UnroutedChecks): DocumentStatus {
  const { kind, namespace, name } = status;
  return kind === 'AccessPolicy' && unrouted.isMissed(`${namespace}/${name}`)
    ? { ...status, isUnrouted: true }
    : status;
}

/** What providers need, with what is one for all of them: verified tokens, and proofs that were used. */
function toIdentityPorts(
  settings: EngineSettings,
  ports: EnginePorts,
): { readonly identity: IdentityPorts; readonly replays: ReplayStore } {
  const identity: IdentitySettings = { ...defaultIdentitySettings, ...settings.identity };
  const { clock, logger, random } = ports;
  const replays = ports.replays ?? createMemoryReplayStore(identity.dpopReplayEntries, clock);
  const tokens = createTokenCache({ maxEntries: identity.tokenCacheEntries, maxBytes: identity.tokenCacheBytes });
  const dpop = createDpop({
    clock,
    logger,
    replays,
    nonceKey: settings.dpopNonceKey ?? `${random.id()}${random.id()}`,
  });
  return { identity: { ...ports, settings: identity, tokens, dpop }, replays };
}

function createRevocationsOf({ revocations }: EngineSettings, ports: EnginePorts): Revocations {
  return createRevocations(
    { ...defaultRevocationSettings, ...revocations },
    { ...ports, shared: ports.sharedRevocations },
  );
}

/** Tells everybody who listens, whatever one of them does. */
function createTeller(logger: Logger): Pick<Engine, 'onChange'> & { readonly tell: (news: StatusNews) => void } {
  const listeners = new Set<(news: StatusNews) => void>();
  return {
    tell: (news) => {
      for (const listener of listeners) tellSafely(listener, news, logger);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function tellSafely(listener: (news: StatusNews) => void, news: StatusNews, logger: Logger): void {
  try {
    listener(news);
  } catch (thrown) {
    logger.error({ error: messageOf(thrown) }, 'what changed could not be told to everybody');
  }
}
