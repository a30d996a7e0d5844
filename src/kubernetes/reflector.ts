import type { Clock, Logger, Random, Timers } from '../core/ports.ts';
import { ApiFailure, isApiFailure } from './api-failure.ts';
import type { JsonObject } from '../core/json.ts';
import { readResourceVersion, type ObjectMeta } from './api-object.ts';
import { createBackOff } from '../std/back-off.ts';
import type { Collection } from './collection.ts';
import type { KubernetesApi, WatchEvent } from './kubernetes-api.ts';
import { firstPage, listAll } from './list-all.ts';
import { createOutage } from './outage.ts';
import { createServerOutage, type ServerOutage } from './server-outage.ts';
import { createReflectedStore, type ReflectedChange } from './reflected-store.ts';
import { watchOnce } from './watch-once.ts';

export interface ReflectorOptions<T> {
  readonly collection: Collection;
  /** Keeps of an object what is needed of it; the object itself is not kept. `known`: of the version before. */
  readonly convert: (object: JsonObject, meta: ObjectMeta, known: T | undefined) => T;
  /** Called with every difference, in the order of the server, one at a time, and first with all that the first list holds. */
  readonly onChange: (change: ReflectedChange<T>) => void;
  readonly ports: ReflectorPorts;
  readonly timing?: Partial<ReflectorTiming>;
}

export interface ReflectorPorts {
  readonly api: KubernetesApi;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  /** Of all that follow one API server, so that its absence is told once; absent: each tells for itself. */
  readonly server?: ServerOutage;
}

/** Milliseconds. */
export interface ReflectorTiming {
  /** How long the server is asked to keep a watch open; up to a quarter more at random. */
  readonly watchMs: number;
  /**
   * Bookmarks come about every minute, but for up to ten minutes not of a collection to which nothing happened since the API server began: a
   * watch that is silent for longer is opened anew, which tells the dead from the idle.
   */
  readonly silenceMs: number;
  /** A whole list now and then finds whatever a watch lost without saying so; up to a quarter more at random. */
  readonly relistMs: number;
  readonly firstBackOffMs: number;
  readonly maxBackOffMs: number;
}

export const defaultReflectorTiming: ReflectorTiming = {
  watchMs: 240_000,
  silenceMs: 100_000,
  relistMs: 900_000,
  firstBackOffMs: 250,
  maxBackOffMs: 8000,
};

/** A collection of no more objects is listed where its watch is silent: nothing else tells that an idle one is up to date. Two pages. */
const maxConfirmed = 200;

/** A copy of one collection of the API server that follows it: it never stops by itself, whatever the server does. */
export interface Reflector {
  /** Resolves when the first list was taken in. */
  readonly synced: Promise<void>;
  /** Resolves when it was, or the server refused it: there is no such kind, or no right to read it. */
  readonly answered: Promise<void>;
  state(): ReflectorState;
  close(): void;
}

export interface ReflectorState {
  readonly collection: Collection;
  readonly isSynced: boolean;
  /** Milliseconds since the epoch at which the server last confirmed what we have (a list, an event or a bookmark). */
  readonly confirmedAt: number | undefined;
  /** Why it does not follow right now; undefined while it does. */
  readonly failure: string | undefined;
}

/**
 * Lists the collection page by page and then watches it with bookmarks. A watch that ends is taken up where it ended; one that is cut, silent,
 * refused (410) or says what is no event is replaced, by a list where that is needed; a list shows deletions too. Failures are tried again
 * with a growing, jittered pause, and said once.
 */
export function createReflector<T>(options: ReflectorOptions<T>): Reflector {
  const { collection, ports } = options;
  const timing: ReflectorTiming = { ...defaultReflectorTiming, ...options.timing };
  const first = Promise.withResolvers<undefined>();
  const answered = Promise.withResolvers<undefined>();
  const ended = new AbortController();
  const backOff = createBackOff({ firstMs: timing.firstBackOffMs, maxMs: timing.maxBackOffMs }, ports.random);
  const outage = createOutage(collection, ports.logger, ports.server ?? createServerOutage(ports.logger));
  let confirmedAt: number | undefined;
  const copy = createCopy(options, timing, ended.signal, {
    onOpen: () => outage.end(),
    onConfirmed: (by) => {
      confirmedAt = ports.clock.now();
      // A list alone is no end of an outage: whoever may list and not watch would be told of one after the other.
      if (by === 'list') {
        first.resolve(undefined);
        return answered.resolve(undefined);
      }
      outage.end();
      backOff.reset();
    },
  });
  const follow = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const since = ports.clock.monotonic();
      try {
        await copy.follow();
        // A server that ends every watch at once must not be asked again at once.
        if (ports.clock.monotonic() - since < 1000) await sleep(backOff.next(), ports.timers, ended.signal);
      } catch (thrown) {
        if (ended.signal.aborted) return;
        if (mustRelist(thrown)) copy.beginAnew();
        outage.begin(thrown);
        if (isApiFailure(thrown, 'api_silent')) {
          copy.confirm();
          continue;
        }
        if (isApiFailure(thrown, 'api_not_found', 'api_forbidden')) answered.resolve(undefined);
        const askedMs = thrown instanceof ApiFailure ? thrown.retryAfterMs : undefined;
        await sleep(backOff.next(askedMs), ports.timers, ended.signal);
      }
    }
  };
  void follow();
  return {
    synced: first.promise,
    answered: answered.promise,
    state: () => ({ collection, isSynced: confirmedAt !== undefined, confirmedAt, failure: outage.current() }),
    close: () => {
      ended.abort();
      outage.forget();
    },
  };
}

interface Copy {
  /** Lists where that is due, and watches until the watch ends. Throws where either fails. */
  follow(): Promise<void>;
  /** The next time it lists. */
  beginAnew(): void;
  /** The next time it lists where that costs little. */
  confirm(): void;
}

interface CopyEvents {
  readonly onOpen: () => void;
  readonly onConfirmed: (by: 'list' | 'watch') => void;
}

/** The copy of a collection and where it stands; failures are its caller's. */
function createCopy<T>(
  { collection, convert, onChange, ports }: ReflectorOptions<T>,
  timing: ReflectorTiming,
  signal: AbortSignal,
  { onOpen, onConfirmed }: CopyEvents,
): Copy {
  const store = createReflectedStore(convert, onChange);
  const page = firstPage(collection);
  /** Where the next watch begins; undefined: with a list. */
  let from: string | undefined;
  let relistAt = 0;
  const list = async (): Promise<string> => {
    const { items, resourceVersion } = await listAll(ports, collection, {
      signal,
      page,
      read: (object) => store.read(object),
    });
    store.replace(items);
    relistAt = ports.clock.monotonic() + jittered(timing.relistMs, ports.random);
    onConfirmed('list');
    return resourceVersion;
  };
  const onEvents = (events: readonly WatchEvent[]): void => {
    const objects = events.filter(({ type }) => type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED');
    if (objects.length > 0) store.update(objects);
    const last = events.findLast(({ type }) => type !== 'ERROR');
    if (last !== undefined) from = readResourceVersion(last.object);
    const failed = events.find(({ type }) => type === 'ERROR');
    if (failed !== undefined) throw toFailure(failed, collection);
    onConfirmed('watch');
  };
  return {
    follow: async () => {
      if (from === undefined || ports.clock.monotonic() >= relistAt) from = await list();
      const endAfterMs = Math.max(0, relistAt - ports.clock.monotonic());
      const watchMs = jittered(timing.watchMs, ports.random);
      const watch = { resourceVersion: from, watchMs, silenceMs: timing.silenceMs, endAfterMs };
      await watchOnce(ports, collection, { ...watch, signal, onOpen, onEvents });
    },
    beginAnew: () => {
      from = undefined;
    },
    confirm: () => {
      if (store.size() <= maxConfirmed) from = undefined;
    },
  };
}

/** A cut or a server that is away leaves us where we were; anything else may have cost us events. */
function mustRelist(thrown: unknown): boolean {
  return !isApiFailure(
    thrown,
    'api_unreachable',
    'api_timeout',
    'api_unavailable',
    'api_throttled',
    'api_silent',
    'api_unauthorized',
  );
}

function toFailure({ object }: WatchEvent, { name }: Collection): ApiFailure {
  const { code, message } = object;
  const said = typeof message === 'string' ? message.slice(0, 500) : 'no message';
  return new ApiFailure(
    code === 410 ? 'api_gone' : 'api_refused',
    `the watch of ${name} ended with ${typeof code === 'number' ? code : 'no code'}: ${said}`,
  );
}

function jittered(ms: number, random: Random): number {
  return ms * (1 + random.fraction() / 4);
}

/** Resolves after the time, or when the signal says stop. */
function sleep(ms: number, timers: Timers, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = timers.after(ms, end);
    signal.addEventListener('abort', end);
  });
}
