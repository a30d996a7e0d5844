import { isJsonObject, type JsonObject } from '../../../src/core/json.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { ApiFailure } from '../../../src/kubernetes/api-failure.ts';
import { createClusterSource, type ClusterSource } from '../../../src/kubernetes/cluster-source.ts';
import { judgeConditions } from '../../../src/kubernetes/judge-conditions.ts';
import type { ApiRequest, KubernetesApi, WatchEvent, WatchRequest } from '../../../src/kubernetes/kubernetes-api.ts';
import { documentBounds } from '../../../src/kubernetes/object-bounds.ts';
import { readAnswer } from '../../../src/kubernetes/read-answer.ts';
import { readWatchEvents } from '../../../src/kubernetes/watch-lines.ts';
import { materialRefsOf } from '../../../src/policy/material-refs.ts';
import { random, realTimers } from '../decision-stand.ts';
import { inlinePasswords } from '../inline-passwords.ts';
import { noEvents, noNetwork } from '../networks.ts';

/** An object as its author writes it. */
export interface WrittenObject {
  readonly apiVersion: string;
  readonly kind: keyof typeof resources;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly JsonObject[];
    readonly creationTimestamp?: string;
  };
  readonly spec?: JsonObject;
  readonly data?: JsonObject;
  readonly status?: JsonObject;
}

const resources = {
  AccessPolicy: 'accesspolicies',
  IdentityProvider: 'identityproviders',
  HTTPRoute: 'httproutes',
  ConfigMap: 'configmaps',
  Secret: 'secrets',
};

/** The source of documents and the engine as they serve, before an API server that the test plays. */
export interface EngineBehindCluster {
  readonly engine: Engine;
  /** Makes the object, or gives it another version, and tells whoever watches. */
  put(object: WrittenObject): void;
  /** Deletes the object of that key (`Secret shop/a`). */
  remove(key: string): void;
  /** From now on the server refuses to say what there is of the collection (`httproutes`); watches that are open go on. */
  refuseLists(resource: string): void;
  /** From now on what happens is not told to watches of that collection, which is far behind; the returned function tells it, event by event. */
  hold(collection: string): { readonly next: () => void };
  /** As a server ends a watch that is too far behind: the collection is listed anew. */
  cut(collection: string): void;
  /** Lists of that collection are not answered before the returned function is called. */
  delayLists(collection: string): () => void;
  /** Resolves when everything was read once. */
  start(): Promise<void>;
  /** The collections that are watched now: `httproutes metadata.name=a`. */
  watched(): readonly string[];
  /** What status says of the document of that key: `False Invalid: …`, by the type of the condition. */
  conditions(key: string): Readonly<Record<string, string>>;
  close(): void;
}

interface Watch {
  readonly request: WatchRequest;
  readonly push: (event: WatchEvent | Error) => void;
}

type Stored = WrittenObject & {
  readonly metadata: { readonly uid: string; readonly generation: number; readonly resourceVersion: string };
};

function nameOf({ path, query = {} }: Pick<ApiRequest, 'path' | 'query'>): string {
  return `${path.split('/').at(-1)} ${query['fieldSelector'] ?? query['labelSelector'] ?? ''}`.trim();
}

function isOf(object: WrittenObject, { path, query }: Pick<ApiRequest, 'path' | 'query'>): boolean {
  const parts = path.split('/');
  const within = parts.indexOf('namespaces');
  const named = query?.['fieldSelector'];
  const labels = query?.['labelSelector']?.split(',') ?? [];
  const own = new Set(Object.entries(object.metadata.labels ?? {}).map(([name, value]) => `${name}=${value}`));
  return (
    labels.every((label) => own.has(label)) &&
    resources[object.kind] === parts.at(-1) &&
    (within < 0 || parts[within + 1] === object.metadata.namespace) &&
    (named === undefined || named === `metadata.name=${object.metadata.name}`)
  );
}

export function createEngineBehindCluster(http = noNetwork): EngineBehindCluster {
  const objects = new Map<string, Stored & JsonObject>();
  const watches = new Set<Watch>();
  const held = new Map<string, (() => void)[]>();
  const delays = new Map<string, Promise<void>>();
  const refused = new Set<string>();
  let version = 1;
  const tell = ({ request, push }: Watch, event: WatchEvent): void => {
    const later = held.get(nameOf(request));
    if (later === undefined) push(event);
    else later.push(() => push(event));
  };
  const api: KubernetesApi = {
    request: async (request) => {
      if (refused.has(request.path.split('/').at(-1) ?? '')) throw new ApiFailure('api_forbidden', '403');
      await delays.get(nameOf(request));
      const items = [...objects.values()].filter((object) => isOf(object, request));
      const bytes = Buffer.from(JSON.stringify({ metadata: { resourceVersion: `${version}` }, items }));
      const answer = await readAnswer(bytes, request.bounds ?? documentBounds, async () => undefined);
      return isJsonObject(answer) ? answer : {};
    },
    watch: (request) => {
      const { events, push, end } = createEvents();
      const watch: Watch = { request, push };
      watches.add(watch);
      request.signal.addEventListener('abort', () => {
        watches.delete(watch);
        end();
      });
      return Promise.resolve(readAsClient(events, request));
    },
    close: () => Promise.resolve(),
  };
  const nothing = (): void => undefined;
  const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const ports = { clock, timers: realTimers, random, logger };
  const engine = createEngine(
    {
      trustedHops: 0,
      maxHeaders: 100,
      serviceNamespace: 'portcullis',
      hostGrants: undefined,
      ownedHeaders: [],
      keyLoadTimeoutMs: 1000,
      shadowAll: false,
      identity: {},
    },
    { ...ports, http, passwords: inlinePasswords, events: noEvents },
  );
  let source: ClusterSource | undefined;
  return {
    engine,
    refuseLists: (resource) => void refused.add(resource),
    put: (written) => {
      const key = `${written.kind} ${written.metadata.namespace}/${written.metadata.name}`;
      const before = objects.get(key);
      version += 1;
      const metadata = {
        ...written.metadata,
        uid: before?.metadata.uid ?? `uid-${version}`,
        // Only what has a spec has generations.
        generation: written.spec === undefined ? 0 : (before?.metadata.generation ?? 0) + 1,
        resourceVersion: `${version}`,
      };
      const object = { ...written, metadata };
      objects.set(key, object);
      for (const watch of watches) {
        const was = before !== undefined && isOf(before, watch.request);
        if (isOf(object, watch.request)) tell(watch, { type: was ? 'MODIFIED' : 'ADDED', object });
        else if (was) tell(watch, { type: 'DELETED', object });
      }
    },
    remove: (key) => {
      const before = objects.get(key);
      if (before === undefined) throw new Error(`there is no ${key}`);
      objects.delete(key);
      version += 1;
      const object = { ...before, metadata: { ...before.metadata, resourceVersion: `${version}` } };
      for (const watch of watches) if (isOf(before, watch.request)) tell(watch, { type: 'DELETED', object });
    },
    hold: (collection) => {
      const later: (() => void)[] = [];
      held.set(collection, later);
      return { next: () => later.shift()?.() };
    },
    cut: (collection) => {
      held.delete(collection);
      for (const { request, push } of watches)
        if (nameOf(request) === collection) push(new ApiFailure('api_gone', 'too old'));
    },
    delayLists: (collection) => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      delays.set(collection, promise);
      return () => resolve(undefined);
    },
    start: () => {
      source = createClusterSource({
        scope: { namespaces: [], policySelector: '', clusterKinds: false },
        sink: {
          applyChange: (change) => engine.applyChange(change),
          hasten: (change) => engine.hasten(change),
          closeUnrouted: (namespaces) => engine.closeUnrouted(namespaces),
          isHeavy: () => false,
          parse: async () => undefined,
          unread: (document) => document,
          referencesOf: (document) => materialRefsOf(document, { serviceNamespace: 'portcullis' }),
          referencesInForce: (key) => engine.referencesOf(key),
        },
        ports: { ...ports, api },
        materialTimeoutMs: 500,
      });
      engine.onChange(({ keys }) => source?.stood(keys));
      return source.ready;
    },
    conditions: (key) => {
      const document = engine.documentStatus(key);
      if (source === undefined || document === undefined) return {};
      const reading = source;
      const verdicts = judgeConditions({
        document,
        replicas: { agreeing: 1, pending: 0, disagreeing: 0 },
        isShadow: false,
        readingOf: (reference) => reading.readingOf(reference),
        provider: engine.providerCondition(key),
        missing: engine.missingMaterials(key),
        unreadable: document.kind.endsWith('IdentityProvider') ? reading.unreadableOf(key) : undefined,
        providers: [],
      });
      return Object.fromEntries(
        verdicts.map(({ type, status, reason, message }) => [type, `${status} ${reason}: ${message}`]),
      );
    },
    watched: () => [...watches].map(({ request }) => nameOf(request)),
    close: () => {
      source?.close();
      engine.close();
    },
  };
}

/** As the client of the API server reads the lines of a watch. */
async function* readAsClient(
  events: AsyncIterable<readonly WatchEvent[]>,
  { bounds = documentBounds }: WatchRequest,
): AsyncIterable<readonly WatchEvent[]> {
  const lines = async function* (): AsyncGenerator<Uint8Array> {
    for await (const batch of events) for (const event of batch) yield Buffer.from(`${JSON.stringify(event)}\n`);
  };
  yield* readWatchEvents(lines(), { bounds, pause: async () => undefined });
}

function createEvents(): {
  readonly events: AsyncIterable<readonly WatchEvent[]>;
  readonly push: (event: WatchEvent | Error) => void;
  readonly end: () => void;
} {
  const queue: (WatchEvent | Error | 'end')[] = [];
  let wake = (): void => undefined;
  const add = (event: WatchEvent | Error | 'end'): void => {
    queue.push(event);
    wake();
  };
  async function* read(): AsyncIterable<readonly WatchEvent[]> {
    for (;;) {
      const next = queue.shift();
      if (next === 'end') return;
      if (next instanceof Error) throw next;
      if (next !== undefined) yield [next];
      else await new Promise<void>((resolve) => void (wake = resolve));
    }
  }
  return { events: read(), push: add, end: () => add('end') };
}
