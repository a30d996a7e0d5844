import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { DocumentStatus, MissingMaterial, ProviderCondition } from '../core/status.ts';
import { isApiFailure, isForAll, sayWhyNotWritten } from './api-failure.ts';
import { readMeta } from './api-object.ts';
import type { ClusterDocument } from './cluster-document.ts';
import { pluralOf } from './collection.ts';
import { apiVersion } from '../policy/parse-document.ts';
import { keysNeeded, type Agreements, type NamedProvider, type ReferenceReading } from './conditions.ts';
import { desiredStatus } from './desired-status.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { ReflectorPorts } from './reflector.ts';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';
import { createTransitionTeller } from './transition-teller.ts';
import { createWorkQueue, type WorkOutcome } from './work-queue.ts';

/** What the writer asks about a document. */
export interface StatusFacts {
  /** Undefined where the engine has not taken the document in. */
  documentStatus(key: string): DocumentStatus | undefined;
  providerCondition(key: string): ProviderCondition | undefined;
  /** What a provider that runs refers to and that is not there. */
  missingMaterials(key: string): readonly MissingMaterial[];
  /** The keys of the providers that the version in force of a policy names. */
  providersOf(key: string): readonly string[];
  agreements(key: string): Agreements;
  /** How far something that documents refer to could be read, by its key. */
  readingOf(key: string): ReferenceReading;
  /** Which of the Secrets and ConfigMaps that the document refers to cannot be read, and why; undefined where all can. */
  unreadableOf(key: string): string | undefined;
  /** True where no policy changes an answer, whatever its mode. */
  readonly isShadowAll: boolean;
}

export interface StatusWriterOptions {
  readonly facts: StatusFacts;
  readonly events: EventRecorder;
  readonly ports: ReflectorPorts;
  /** Only the leader writes. */
  readonly leads: () => boolean;
}

/** Writes the status of the objects that it is told of, and only where it would be different. */
export interface StatusWriter {
  /** An object came, changed or is gone (`object` undefined). */
  note(key: string, object: ClusterDocument | undefined): void;
  /** What is true of these may be different; without keys: of all. */
  look(keys?: Iterable<string>): void;
  close(): Promise<void>;
}

/** Statuses at a time: enough for ten thousand in minutes, few enough not to be throttled. */
const width = 4;
const done: WorkOutcome = { kind: 'done' };
/** What fails for one object mostly fails for thousands. */
const maxFailingTold = 20;

export function createStatusWriter({ facts, events, ports, leads }: StatusWriterOptions): StatusWriter {
  const objects = new Map<string, ClusterDocument>();
  const failures = createFailures(ports);
  const budgets = createBudgets(ports);
  const teller = createTransitionTeller(events, ports.timers);
  const write = async (key: string): Promise<WorkOutcome> => {
    const object = objects.get(key);
    const desired = object === undefined || !leads() ? undefined : wanted(key, object, facts, ports.clock.now());
    if (object === undefined || desired === undefined) return done;
    const waitMs = budgets.spend(key, object.meta);
    if (waitMs > 0) return { kind: 'later', delayMs: waitMs };
    const meta = await patch(object, desired.status, ports);
    if (objects.get(key) === object) objects.set(key, { ...object, meta, status: JSON.stringify(desired.status) });
    for (const transition of desired.transitions) await teller.tell(object, transition);
    return done;
  };
  const work = async (key: string): Promise<WorkOutcome> => {
    try {
      const outcome = await write(key);
      if (outcome.kind === 'done') failures.forget(key);
      return outcome;
    } catch (thrown) {
      // Changed or made anew meanwhile: the watch brings what there is to do.
      if (isApiFailure(thrown, 'api_conflict')) return done;
      failures.add(key, thrown);
      throw thrown;
    }
  };
  const queue = createWorkQueue({ ...ports, work, isForAll, width });
  return {
    note: (key, object) => {
      const known = objects.get(key);
      if (object === undefined) {
        objects.delete(key);
        budgets.forget(key);
        queue.forget(key);
        failures.forget(key);
      } else {
        objects.set(key, object);
        // What could not be written of one version may be written of another.
        if (known !== undefined && versionOf(known.meta) === versionOf(object.meta)) queue.add(key);
        else queue.addAnew(key);
      }
    },
    look: (keys = objects.keys()) => {
      if (!leads()) return;
      for (const key of keys) if (objects.has(key)) queue.add(key);
    },
    close: async () => {
      teller.close();
      await queue.close();
    },
  };
}

/** Which statuses cannot be written. */
interface Failures {
  add(key: string, thrown: unknown): void;
  forget(key: string): void;
}

function createFailures({ logger }: ReflectorPorts): Failures {
  const failing = new Set<string>();
  const told = new Set<string>();
  return {
    add: (key, thrown) => {
      // Of one that was deleted meanwhile the watch has told before the second time.
      if (failing.has(key) && !told.has(key) && told.size < maxFailingTold) {
        told.add(key);
        logger.warn({ object: key, error: sayWhyNotWritten(thrown) }, 'the status of an object cannot be written');
      }
      failing.add(key);
    },
    forget: (key) => {
      failing.delete(key);
      told.delete(key);
    },
  };
}

/** Somebody else who writes the status, another installation perhaps, must not draw us into a race. */
const budgetLimits = { burst: 20, refillMs: 10_000 };

/** How often the status of one version of an object is written. */
interface Budgets {
  /** 0: now; else after how many milliseconds. */
  spend(key: string, meta: ClusterDocument['meta']): number;
  forget(key: string): void;
}

function versionOf({ uid, generation }: ClusterDocument['meta']): string {
  return `${uid} ${generation}`;
}

function createBudgets({ clock, logger }: ReflectorPorts): Budgets {
  const budgets = new Map<string, { readonly version: string; readonly bucket: TokenBucket }>();
  let isTold = false;
  return {
    spend: (key, meta) => {
      const version = versionOf(meta);
      const known = budgets.get(key);
      const bucket = known?.version === version ? known.bucket : createTokenBucket(budgetLimits, clock);
      budgets.set(key, { version, bucket });
      const waitMs = bucket.take();
      if (waitMs > 0 && !isTold) {
        isTold = true;
        const why = 'the status of an object changes again and again: does another installation write it too?';
        logger.warn({ object: key }, why);
      }
      return waitMs;
    },
    forget: (key) => void budgets.delete(key),
  };
}

function wanted(
  key: string,
  object: ClusterDocument,
  facts: StatusFacts,
  now: number,
): ReturnType<typeof desiredStatus> {
  const document = facts.documentStatus(key);
  const { meta } = object;
  // The engine has another version still, or already: it says so when it has this one.
  if (document?.version?.uid !== meta.uid || document.version.generation !== meta.generation) return undefined;
  const provider = facts.providerCondition(key);
  const keysFetchedAt = provider?.keyAgeSeconds === undefined ? undefined : now - provider.keyAgeSeconds * 1000;
  const { value } = object.document;
  const input = {
    document,
    replicas: facts.agreements(key),
    isShadow: facts.isShadowAll || isShadow(value),
    readingOf: (route: string) => facts.readingOf(route),
    unreadable: provider === undefined ? undefined : facts.unreadableOf(key),
    provider,
    missing: facts.missingMaterials(key),
    providers: facts.providersOf(key).map((name) => namedProvider(name, facts)),
    value,
    keysFetchedAt,
  };
  return desiredStatus(input, parseStatus(object.status), now);
}

function namedProvider(key: string, facts: StatusFacts): NamedProvider {
  const condition = facts.providerCondition(key);
  return {
    key,
    isRunning: condition !== undefined,
    missing: facts.missingMaterials(key),
    keys: condition === undefined ? undefined : keysNeeded(condition),
    lastError: condition?.lastError,
  };
}

function isShadow(value: ClusterDocument['document']['value']): boolean {
  const spec = isJsonObject(value) ? value['spec'] : undefined;
  return isJsonObject(spec) && spec['mode'] === 'Shadow';
}

function parseStatus(text: string): JsonObject {
  const value: unknown = text === '' ? {} : JSON.parse(text);
  return isJsonObject(value) ? value : {};
}

/**
 * Server-side apply: what we no longer say goes away, what others say stays. The uid keeps us from an object that was made anew, the version
 * from one about which another leader has spoken since, where we stood still between the judgement and the write. Answers what is there now.
 */
async function patch(
  { kind, meta }: ClusterDocument,
  status: JsonObject,
  { api }: ReflectorPorts,
): Promise<ClusterDocument['meta']> {
  const { namespace, name, uid, resourceVersion } = meta;
  const within = namespace === '' ? '' : `/namespaces/${namespace}`;
  const written = await api.request({
    method: 'PATCH',
    path: `/apis/${apiVersion}${within}/${pluralOf(kind)}/${name}/status`,
    query: { fieldManager: 'portcullis', force: 'true' },
    contentType: 'application/apply-patch+yaml',
    body: {
      apiVersion,
      kind,
      metadata: { ...(namespace === '' ? {} : { namespace }), name, uid, resourceVersion },
      status,
    },
  });
  return readMeta(written);
}
