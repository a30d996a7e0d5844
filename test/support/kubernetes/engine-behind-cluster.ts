import type { JsonObject } from '../../../src/core/json.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { ApiFailure } from '../../../src/kubernetes/api-failure.ts';
import { createClusterSource, type ClusterSource } from '../../../src/kubernetes/cluster-source.ts';
import type { ApiRequest, KubernetesApi, WatchEvent, WatchRequest } from '../../../src/kubernetes/kubernetes-api.ts';
import { materialRefsOf } from '../../../src/policy/material-refs.ts';
import { random, realTimers } from '../decision-stand.ts';
import { inlinePasswords } from '../inline-passwords.ts';
import { noEvents, noNetwork } from '../networks.ts';

/** An object as its author writes it. */
export interface WrittenObject {
  readonly apiVersion: string;
  readonly kind: keyof typeof resources;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: JsonObject;
}

const resources = { AccessPolicy: 'accesspolicies', IdentityProvider: 'identityproviders', HTTPRoute: 'httproutes' };

/** The source of documents and the engine as they serve, before an API server that the test plays. */
export interface EngineBehindCluster {
  readonly engine: Engine;
  /** Makes the object, or gives it another version, and tells whoever watches. */
  put(object: WrittenObject): void;
  /** Deletes the object of that key (`AccessPolicy shop/a`). */
  remove(key: string): void;
  /** From now on the server refuses to say what there is of the collection (`httproutes`); watches that are open go on. */
  refuseLists(resource: string): void;
  /** Resolves when everything was read once. */
  start(): Promise<void>;
  /** The collections that are watched now: `httproutes metadata.name=a`. */
  watched(): readonly string[];
  close(): void;
}

interface Watch {
  readonly request: WatchRequest;
  readonly push: (event: WatchEvent) => void;
}

type Stored = WrittenObject & { readonly metadata: { readonly uid: string; readonly generation: number } };

function isOf(object: WrittenObject, { path, query }: Pick<ApiRequest, 'path' | 'query'>): boolean {
  const parts = path.split('/');
  const within = parts.indexOf('namespaces');
  const named = query?.['fieldSelector'];
  return (
    resources[object.kind] === parts.at(-1) &&
    (within < 0 || parts[within + 1] === object.metadata.namespace) &&
    (named === undefined || named === `metadata.name=${object.metadata.name}`)
  );
}

export function createEngineBehindCluster(): EngineBehindCluster {
  const objects = new Map<string, Stored & JsonObject>();
  const watches = new Set<Watch>();
  const refused = new Set<string>();
  let version = 1;
  const api: KubernetesApi = {
    request: async (request) => {
      if (refused.has(request.path.split('/').at(-1) ?? '')) throw new ApiFailure('api_forbidden', '403');
      return {
        metadata: { resourceVersion: `${version}` },
        items: [...objects.values()].filter((object) => isOf(object, request)),
      };
    },
    watch: (request) => {
      const { events, push, end } = createEvents();
      const watch: Watch = { request, push };
      watches.add(watch);
      request.signal.addEventListener('abort', () => {
        watches.delete(watch);
        end();
      });
      return Promise.resolve(events);
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
      keyLoadTimeoutMs: 500,
      shadowAll: false,
      identity: {},
    },
    { ...ports, http: noNetwork, passwords: inlinePasswords, events: noEvents },
  );
  let source: ClusterSource | undefined;
  const tell = (type: WatchEvent['type'], object: Stored & JsonObject): void => {
    for (const { request, push } of watches) if (isOf(object, request)) push({ type, object });
  };
  return {
    engine,
    refuseLists: (resource) => void refused.add(resource),
    remove: (key) => {
      const object = objects.get(key);
      objects.delete(key);
      version += 1;
      if (object !== undefined) tell('DELETED', object);
    },
    put: (written) => {
      const key = `${written.kind} ${written.metadata.namespace}/${written.metadata.name}`;
      const before = objects.get(key);
      version += 1;
      const metadata = {
        ...written.metadata,
        uid: before?.metadata.uid ?? `uid-${version}`,
        generation: (before?.metadata.generation ?? 0) + 1,
        resourceVersion: `${version}`,
      };
      const object = { ...written, metadata };
      objects.set(key, object);
      tell(before === undefined ? 'ADDED' : 'MODIFIED', object);
    },
    start: () => {
      source = createClusterSource({
        scope: { namespaces: [], policySelector: '', clusterKinds: false },
        sink: {
          applyChange: (change) => engine.applyChange(change),
          referencesOf: (document) => materialRefsOf(document, { serviceNamespace: 'portcullis' }),
          referencesInForce: (key) => engine.referencesOf(key),
        },
        ports: { ...ports, api },
        materialTimeoutMs: 500,
      });
      return source.ready;
    },
    watched: () =>
      [...watches].map(({ request: { path, query } }) =>
        `${path.split('/').at(-1)} ${query['fieldSelector'] ?? ''}`.trim(),
      ),
    close: () => {
      source?.close();
      engine.close();
    },
  };
}

function createEvents(): {
  readonly events: AsyncIterable<readonly WatchEvent[]>;
  readonly push: (event: WatchEvent) => void;
  readonly end: () => void;
} {
  const queue: (WatchEvent | 'end')[] = [];
  let wake = (): void => undefined;
  const add = (event: WatchEvent | 'end'): void => {
    queue.push(event);
    wake();
  };
  async function* read(): AsyncIterable<readonly WatchEvent[]> {
    for (;;) {
      const next = queue.shift();
      if (next === 'end') return;
      if (next !== undefined) yield [next];
      else await new Promise<void>((resolve) => void (wake = resolve));
    }
  }
  return { events: read(), push: add, end: () => add('end') };
}
