import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { createClusterSource, type ClusterScope, type ClusterSource } from '../../../src/kubernetes/cluster-source.ts';
import type { ApiRequest, KubernetesApi, WatchRequest } from '../../../src/kubernetes/kubernetes-api.ts';
import type { MaterialRef, SourceChange } from '../../../src/policy/spec.ts';
import { createFakeApi, eventOf, objectOf, type FakeApi } from './fake-api.ts';
import { createManualTime, settle } from './manual-time.ts';

const sources: ClusterSource[] = [];
afterEach(() => {
  for (const source of sources.splice(0)) source.close();
});

interface Stand {
  readonly source: ClusterSource;
  readonly taken: string[];
  readonly lists: string[];
}

/** An API server whose AccessPolicies are these, and whose watches bring nothing. */
async function start(
  names: readonly string[],
  scope: Partial<ClusterScope> = {},
  referencesOf: (name: string) => readonly MaterialRef[] = () => [],
): Promise<Stand> {
  const [taken, lists]: [string[], string[]] = [[], []];
  const items = names.map((name): JsonObject => objectOf(name, 1, { spec: {} }));
  const api: KubernetesApi = {
    request: async ({ path }: ApiRequest) => {
      lists.push(path);
      return { metadata: { resourceVersion: '1' }, items: path.endsWith('/accesspolicies') ? items : [] };
    },
    watch: async ({ signal }: WatchRequest) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      return (async function* () {})();
    },
    close: async () => undefined,
  };
  const silent = (): void => undefined;
  const time = createManualTime();
  const source = createClusterSource({
    scope: { namespaces: [], policySelector: '', clusterKinds: true, ...scope },
    sink: {
      applyChange: async ({ changed }: SourceChange) => void taken.push(...changed.map((document) => document.source)),
      hasten: () => () => undefined,
      closeUnrouted: () => undefined,
      isHeavy: () => false,
      parse: async () => undefined,
      unread: (document) => document,
      referencesInForce: referencesOf,
      referencesOf: ({ source: name }) => {
        if (name.endsWith('/poison')) throw new Error('poison');
        return referencesOf(name);
      },
    },
    ports: {
      api,
      ...time,
      random: { id: () => 'id', fraction: () => 0 },
      logger: { debug: silent, info: silent, warn: silent, error: silent },
    },
    materialTimeoutMs: 1000,
  });
  sources.push(source);
  await time.advance(100);
  return { source, taken, lists };
}

describe('the source of documents in a cluster', () => {
  it('promise 4: hands all documents on, also where it cannot be said what one of them refers to', async () => {
    const { source, taken } = await start(['a', 'poison', 'z']);
    await source.ready;
    expect(taken).toEqual(['AccessPolicy shop/a', 'AccessPolicy shop/poison', 'AccessPolicy shop/z']);
  });

  it('follows a namespace once that is named twice, and no kind of the cluster where it may not', async () => {
    const { lists } = await start([], { namespaces: ['shop', 'team-b', 'shop'], clusterKinds: false });
    const base = '/apis/portcullis.dev/v1alpha1/namespaces';
    expect(lists).toEqual([
      `${base}/shop/accesspolicies`,
      `${base}/team-b/accesspolicies`,
      `${base}/shop/identityproviders`,
      `${base}/team-b/identityproviders`,
    ]);
  });

  it('says of what it does not follow that the bound is reached, and what to do', async () => {
    const names = Array.from({ length: 101 }, (_, index) => `p${100 + index}`);
    const { source } = await start(names, {}, (key) => [
      { kind: 'HTTPRoute', namespace: 'shop', name: key.replace('AccessPolicy shop/', 'r') },
    ]);
    await source.ready;
    const why =
      'of one namespace no more than 100 of a kind are followed, those that the oldest policies and providers refer to; ' +
      'refer to fewer, or spread the documents over more namespaces';
    expect(['HTTPRoute shop/rp199', 'HTTPRoute shop/rp200'].map((key) => source.readingOf(key).failure)).toEqual([
      undefined,
      why,
    ]);
    expect(['AccessPolicy shop/p199', 'AccessPolicy shop/p200'].map((key) => source.unreadableOf(key))).toEqual([
      undefined,
      `HTTPRoute shop/rp200 cannot be read: ${why}`,
    ]);
  });
});

describe('what documents refer to', () => {
  /** Providers that refer to the Secret of their name, before an engine that says when a change is in force. */
  async function startProviders() {
    const apis = new Map<string, FakeApi>();
    const apiOf = ({ path, query }: Pick<ApiRequest, 'path' | 'query'>): FakeApi => {
      const name = `${path.split('/').at(-1)} ${query?.['fieldSelector'] ?? ''}`.trim();
      const api = apis.get(name) ?? createFakeApi();
      apis.set(name, api);
      return api;
    };
    const secretApi = (name: string): FakeApi =>
      apiOf({ path: '/secrets', query: { fieldSelector: `metadata.name=${name}` } });
    const providers = apiOf({ path: '/identityproviders' });
    for (const name of ['a', 'b']) secretApi(name).put(name, 1);
    providers.put('a', 1);
    const taken: string[] = [];
    const waiting: { resolve: () => void; reject: (thrown: Error) => void }[] = [];
    const silent = (): void => undefined;
    const time = createManualTime();
    const source = createClusterSource({
      scope: { namespaces: [], policySelector: '', clusterKinds: false },
      sink: {
        applyChange: ({ changed, removed }) => {
          taken.push([...removed.map((one) => `-${one.source}`), ...changed.map((one) => `+${one.source}`)].join(' '));
          return new Promise<void>((resolve, reject) => void waiting.push({ resolve, reject }));
        },
        hasten: () => () => undefined,
        closeUnrouted: () => undefined,
        referencesInForce: (name) => [{ kind: 'Secret', namespace: 'shop', name: name.split('/').at(-1) ?? '' }],
        isHeavy: () => false,
        parse: async () => undefined,
        unread: (document) => document,
        referencesOf: ({ source: name }) => [{ kind: 'Secret', namespace: 'shop', name: name.split('/').at(-1) ?? '' }],
      },
      ports: {
        api: {
          request: (request) => apiOf(request).request(request),
          watch: (request) => apiOf(request).watch(request),
          close: async () => undefined,
        },
        ...time,
        random: { id: () => 'id', fraction: () => 0 },
        logger: { debug: silent, info: silent, warn: silent, error: silent },
      },
      materialTimeoutMs: 1000,
    });
    sources.push(source);
    await time.advance(10);
    const finish = async (): Promise<void> => {
      for (const { resolve } of waiting.splice(0)) resolve();
      await time.advance(10);
    };
    const fail = async (): Promise<void> => {
      for (const { reject } of waiting.splice(0)) reject(new Error('a mistake'));
      await time.advance(10);
    };
    await finish();
    await finish();
    return { taken, finish, fail, providers, secretApi, time };
  }
  const changed = (name: string, version: number, data: string) =>
    eventOf('MODIFIED', objectOf(name, version, { data: { a: data } }));

  it('is handed on while documents are waited for, and a new document has what it refers to with it', async () => {
    const { taken, providers, secretApi, time } = await startProviders();
    expect(taken[0]).toBe('+Secret shop/a +IdentityProvider shop/a');
    taken.length = 0;
    (await secretApi('a').nextWatch()).push(changed('a', 2, 'Yg=='));
    await settle();
    // The engine is at work on the Secret, and what is read meanwhile waits for it, but for whom it is read.
    (await providers.nextWatch()).push(eventOf('ADDED', objectOf('b', 3, { spec: {} })));
    await time.advance(10);
    expect(taken).toEqual(['+Secret shop/a', '+Secret shop/b +IdentityProvider shop/b']);
  });

  it('is handed on at once where it is gone, whatever documents are waited for', async () => {
    const { taken, providers, secretApi, time } = await startProviders();
    taken.length = 0;
    (await providers.nextWatch()).push(eventOf('ADDED', objectOf('without', 3, { spec: {} })));
    await time.advance(10);
    (await secretApi('a').nextWatch()).push(eventOf('DELETED', objectOf('a', 4)));
    await time.advance(10);
    expect(taken).toEqual(['+IdentityProvider shop/without', '-Secret shop/a']);
  });

  it('is let go of only after the document that referred to it', async () => {
    const { taken, finish, providers, time } = await startProviders();
    taken.length = 0;
    (await providers.nextWatch()).push(eventOf('DELETED', objectOf('a', 5)));
    await time.advance(10);
    expect(taken).toEqual(['-IdentityProvider shop/a']);
    await finish();
    expect(taken).toEqual(['-IdentityProvider shop/a', '-Secret shop/a']);
  });

  it('is handed on again with its document where a mistake of ours kept both out, and changes after it are too', async () => {
    const { taken, finish, fail, providers, time } = await startProviders();
    taken.length = 0;
    const watch = await providers.nextWatch();
    watch.push(eventOf('ADDED', objectOf('b', 3, { spec: {} })));
    await time.advance(10);
    await fail();
    watch.push(eventOf('DELETED', objectOf('a', 4)));
    await time.advance(1000);
    await finish();
    expect(taken).toEqual([
      '+Secret shop/b',
      '+IdentityProvider shop/b',
      '+Secret shop/b',
      '-IdentityProvider shop/a +IdentityProvider shop/b',
      '-Secret shop/a',
    ]);
  });

  it('is not waited for longer than a second', async () => {
    const { taken, providers, secretApi, time } = await startProviders();
    taken.length = 0;
    secretApi('b').failLists(...Array.from({ length: 20 }, () => new Error('no answer')));
    (await providers.nextWatch()).push(eventOf('ADDED', objectOf('b', 3, { spec: {} })));
    await time.advance(900);
    expect(taken).toEqual([]);
    await time.advance(200);
    expect(taken).toEqual(['+IdentityProvider shop/b']);
  });
});
