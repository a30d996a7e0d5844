import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { createClusterSource, type ClusterScope, type ClusterSource } from '../../../src/kubernetes/cluster-source.ts';
import type { ApiRequest, KubernetesApi, WatchRequest } from '../../../src/kubernetes/kubernetes-api.ts';
import type { MaterialRef, SourceChange } from '../../../src/policy/spec.ts';
import { objectOf } from './fake-api.ts';
import { createManualTime } from './manual-time.ts';

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
    expect(['HTTPRoute shop/rp199', 'HTTPRoute shop/rp200'].map((key) => source.whyLeftOut(key))).toEqual([
      undefined,
      why,
    ]);
    expect(['AccessPolicy shop/p199', 'AccessPolicy shop/p200'].map((key) => source.unreadableOf(key))).toEqual([
      undefined,
      `HTTPRoute shop/rp200 cannot be read: ${why}`,
    ]);
  });
});
