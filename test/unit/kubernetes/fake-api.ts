import type { JsonObject } from '../../../src/core/json.ts';
import type { KubernetesApi, WatchEvent, WatchRequest } from '../../../src/kubernetes/kubernetes-api.ts';

/** One open watch: what the test lets it bring. */
export interface FakeWatch {
  readonly query: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  push(...events: readonly WatchEvent[]): void;
  /** As a server ends a watch whose time is over. */
  end(): void;
  cut(failure: Error): void;
}

/** An API server of one collection, for faults that a real one cannot be made to show on demand. */
export interface FakeApi extends KubernetesApi {
  readonly watches: readonly FakeWatch[];
  /** The queries of every list. */
  readonly lists: readonly Readonly<Record<string, string>>[];
  /** The current watch, once there is one more than `after`. */
  nextWatch(after?: number): Promise<FakeWatch>;
  put(name: string, resourceVersion: number, extra?: JsonObject): JsonObject;
  remove(name: string): void;
  /** The next calls fail with these, in turn. */
  failLists(...failures: readonly Error[]): void;
  failWatches(...failures: readonly Error[]): void;
  /** What the lists say of their version. */
  version: number;
}

export function createFakeApi(): FakeApi {
  const objects = new Map<string, JsonObject>();
  const watches: FakeWatch[] = [];
  const lists: Readonly<Record<string, string>>[] = [];
  const listFailures: Error[] = [];
  const watchFailures: Error[] = [];
  let waiting: (() => void)[] = [];
  const api: FakeApi = {
    watches,
    lists,
    version: 1,
    request: async ({ query = {} }) => {
      lists.push(query);
      const failure = listFailures.shift();
      if (failure !== undefined) throw failure;
      const all = [...objects.values()];
      const from = Number(query['continue'] ?? 0);
      const to = from + Number(query['limit']);
      const more = to < all.length ? { continue: `${to}` } : {};
      return { metadata: { resourceVersion: `${api.version}`, ...more }, items: all.slice(from, to) };
    },
    watch: async (request) => {
      const failure = watchFailures.shift();
      if (failure !== undefined) throw failure;
      const { watch, events } = openFakeWatch(request);
      watches.push(watch);
      for (const wake of waiting) wake();
      waiting = [];
      return events;
    },
    close: async () => undefined,
    nextWatch: async (after = 0) => {
      while (watches.length <= after) await new Promise<void>((resolve) => waiting.push(resolve));
      const watch = watches.at(-1);
      if (watch === undefined) throw new Error('no watch');
      return watch;
    },
    put: (name, resourceVersion, extra = {}) => {
      const object = objectOf(name, resourceVersion, extra);
      objects.set(name, object);
      api.version = Math.max(api.version, resourceVersion);
      return object;
    },
    remove: (name) => void objects.delete(name),
    failLists: (...failures) => void listFailures.push(...failures),
    failWatches: (...failures) => void watchFailures.push(...failures),
  };
  return api;
}

export function objectOf(
  name: string,
  resourceVersion: number,
  { uid = `uid-${name}`, ...extra }: JsonObject = {},
): JsonObject {
  return { metadata: { namespace: 'shop', name, uid, resourceVersion: `${resourceVersion}` }, ...extra };
}

export function eventOf(type: WatchEvent['type'], object: JsonObject): WatchEvent {
  return { type, object };
}

function openFakeWatch({ query, signal }: WatchRequest): {
  watch: FakeWatch;
  events: AsyncIterable<readonly WatchEvent[]>;
} {
  const queue: (readonly WatchEvent[] | 'end' | Error)[] = [];
  let wake = (): void => undefined;
  const add = (item: readonly WatchEvent[] | 'end' | Error): void => {
    queue.push(item);
    wake();
  };
  signal.addEventListener('abort', () => add('end'));
  const events = async function* (): AsyncGenerator<readonly WatchEvent[]> {
    for (;;) {
      const item = queue.shift();
      if (item === undefined) await new Promise<void>((resolve) => (wake = resolve));
      else if (item === 'end') return;
      else if (item instanceof Error) throw item;
      else yield item;
    }
  };
  const watch: FakeWatch = {
    query,
    signal,
    push: (...pushed) => add(pushed),
    end: () => add('end'),
    cut: (failure) => add(failure),
  };
  return { watch, events: events() };
}
