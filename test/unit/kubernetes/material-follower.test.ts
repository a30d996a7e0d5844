import { afterEach, describe, expect, it } from 'vitest';
import { ApiFailure } from '../../../src/kubernetes/api-failure.ts';
import type { KubernetesApi } from '../../../src/kubernetes/kubernetes-api.ts';
import { createMaterialFollower, type MaterialFollower } from '../../../src/kubernetes/material-follower.ts';
import { materialKey, type AuthorDocument, type MaterialRef } from '../../../src/policy/spec.ts';
import { createFakeApi, eventOf, objectOf, type FakeApi } from './fake-api.ts';
import { createManualTime, settle, type ManualTime } from './manual-time.ts';

const open: MaterialFollower[] = [];
afterEach(() => {
  for (const follower of open.splice(0)) follower.close();
});

const keys: MaterialRef = { kind: 'Secret', namespace: 'shop', labels: [['portcullis.dev/api-key', 'true']] };
const named: MaterialRef = { kind: 'Secret', namespace: 'shop', name: 'a' };
const [selectedA, selectedB] = ['a', 'b'].map((name) => `Secret shop/${name}?portcullis.dev/api-key=true`);

interface Stand {
  readonly time: ManualTime;
  /** What the API server has of the selector, and of the name. */
  readonly selected: FakeApi;
  readonly byName: FakeApi;
  readonly follower: MaterialFollower;
  readonly told: string[];
  /** Those that were told as changed, one after the other. */
  readonly documents: AuthorDocument[];
  readonly paths: Set<string>;
  /** These, and no others. */
  readonly follow: (...refs: readonly MaterialRef[]) => Promise<void>;
}

/** A follower before an API server of two collections: the Secrets of a label, and one by its name. */
function start(): Stand {
  const [selected, byName] = [createFakeApi(), createFakeApi()];
  const paths = new Set<string>();
  const apiOf = (path: string, query: Readonly<Record<string, string>> = {}): FakeApi => {
    const { labelSelector, fieldSelector } = query;
    paths.add(`${path} ${labelSelector ?? fieldSelector ?? ''}`);
    return labelSelector === undefined ? byName : selected;
  };
  const api: KubernetesApi = {
    request: (request) => apiOf(request.path, request.query).request(request),
    watch: (request) => apiOf(request.path, request.query).watch(request),
    close: async () => undefined,
  };
  const time = createManualTime();
  const told: string[] = [];
  const documents: AuthorDocument[] = [];
  const silent = (): void => undefined;
  const follower = createMaterialFollower({
    ports: {
      api,
      ...time,
      random: { id: () => 'id', fraction: () => 0 },
      logger: { debug: silent, info: silent, warn: silent, error: silent },
    },
    timing: {},
    onChange: ({ removed, changed }) => {
      documents.push(...changed);
      told.push([...removed.map(({ source }) => `-${source}`), ...changed.map(({ source }) => `+${source}`)].join(' '));
    },
    onAnswered: silent,
  });
  open.push(follower);
  const follow = (...refs: readonly MaterialRef[]): Promise<void> => {
    const orders = new Map([['Secret shop', refs.map(materialKey)]]);
    const all = new Map(refs.map((ref) => [materialKey(ref), ref]));
    const referred = { refs: all, orders };
    follower.keepOnly(referred);
    return follower.follow(referred);
  };
  return { time, selected, byName, follower, told, documents, paths, follow };
}

describe('the Secrets that a selector takes', () => {
  it('are followed as one collection, by their labels', async () => {
    const { selected, follow, told, paths, follower } = start();
    selected.put('a', 1);
    selected.put('b', 2);
    void follow(keys);
    await selected.nextWatch();
    expect([...paths]).toEqual(['/api/v1/namespaces/shop/secrets portcullis.dev/api-key=true']);
    expect(told).toEqual([`+${selectedA} +${selectedB}`]);
    expect(follower.reflectors()).toHaveLength(1);
  });

  it('that lose their label are gone: to a watch that asks for it they are deleted', async () => {
    const { selected, follow, told } = start();
    selected.put('a', 1);
    void follow(keys);
    const watch = await selected.nextWatch();
    watch.push(eventOf('DELETED', objectOf('a', 3)));
    await settle();
    expect(told).toEqual([`+${selectedA}`, `-${selectedA}`]);
  });

  it('that are deleted while the watch is cut are gone with the list after it, and no later than that', async () => {
    const { selected, follow, told, time } = start();
    selected.put('a', 1);
    selected.put('b', 2);
    void follow(keys);
    const watch = await selected.nextWatch();
    selected.remove('a');
    watch.cut(new ApiFailure('api_gone', 'too old'));
    await time.advance(250);
    await selected.nextWatch(1);
    expect(told).toEqual([`+${selectedA} +${selectedB}`, `-${selectedA}`]);
  });

  it('stay while the server is away', async () => {
    const { selected, follow, told, time, follower } = start();
    selected.put('a', 1);
    void follow(keys);
    const watch = await selected.nextWatch();
    selected.failWatches(...Array.from({ length: 9 }, () => new ApiFailure('api_unreachable', 'away')));
    watch.cut(new ApiFailure('api_unreachable', 'away'));
    await time.advance(10_000);
    expect([told, follower.state(materialKey(keys))?.failure]).toEqual([[`+${selectedA}`], 'away']);
  });

  it('are gone once nobody selects them any more', async () => {
    const { selected, follow, told } = start();
    selected.put('a', 1);
    void follow(keys);
    await selected.nextWatch();
    void follow();
    expect(told).toEqual([`+${selectedA}`, `-${selectedA}`]);
  });

  it('say what right is missing where the server refuses them, and hold nothing up', async () => {
    const { selected, follow, time, follower } = start();
    selected.failLists(new ApiFailure('api_forbidden', 'status 403'));
    const answered = follow(keys);
    let isSynced = false;
    void answered.then(() => (isSynced = true));
    await time.advance(10);
    expect([isSynced, follower.state(materialKey(keys))?.failure]).toEqual([
      true,
      'the service account needs get, list and watch on secrets by a Role in the namespace shop; the chart grants it with rbac.secrets.enabled and the namespace in watchNamespaces, and where rbac.secrets.names is set with the name among these, to a sidecar with sidecar.secrets and the service account of its pod in sidecar.serviceAccounts; with rbac.create off write the role yourself (docs/kubernetes.md) (status 403)',
    ]);
  });
});

describe('a Secret that is named and selected', () => {
  const both = async (): Promise<Stand> => {
    const stand = start();
    for (const api of [stand.selected, stand.byName]) api.put('a', 1);
    await stand.follow(keys, named);
    await stand.selected.nextWatch();
    await stand.byName.nextWatch();
    expect(stand.told).toEqual([`+${selectedA}`, '+Secret shop/a']);
    stand.told.length = 0;
    return stand;
  };

  it('is told for each reference, whose reader sees nothing of the other', async () => {
    const { selected, byName, told } = await both();
    (await selected.nextWatch()).push(eventOf('DELETED', objectOf('a', 3)));
    await settle();
    expect(told).toEqual([`-${selectedA}`]);
    (await byName.nextWatch()).push(eventOf('MODIFIED', objectOf('a', 3, { data: { k: 'b3RoZXI=' } })));
    await settle();
    expect(told).toEqual([`-${selectedA}`, '+Secret shop/a']);
    (await byName.nextWatch()).push(eventOf('DELETED', objectOf('a', 4)));
    await settle();
    expect(told).toEqual([`-${selectedA}`, '+Secret shop/a', '-Secret shop/a']);
  });

  it('is gone for the one that is not followed any more, whatever its watch says then', async () => {
    const { selected, follow, told } = await both();
    const watch = await selected.nextWatch();
    watch.push(eventOf('MODIFIED', objectOf('a', 2, { data: { k: 'b3RoZXI=' } })));
    void follow(named);
    await settle();
    expect(told).toEqual([`-${selectedA}`]);
    void follow();
    expect(told).toEqual([`-${selectedA}`, '-Secret shop/a']);
  });

  it('is told as made anew to each that hears of it', async () => {
    const { byName, told } = await both();
    const watch = await byName.nextWatch();
    const anew = objectOf('a', 5);
    watch.push(eventOf('ADDED', { ...anew, metadata: { ...(anew['metadata'] as object), uid: 'another' } }));
    await settle();
    expect(told).toEqual(['-Secret shop/a +Secret shop/a']);
  });

  it('is no news where nothing of it changed but what the server keeps', async () => {
    const { byName, documents } = await both();
    const watch = await byName.nextWatch();
    for (const version of [2, 3]) watch.push(eventOf('MODIFIED', objectOf('a', version)));
    await settle();
    const [first, second] = documents.filter(({ source }) => source === 'Secret shop/a').slice(1);
    expect(second).toBeDefined();
    expect(second).toBe(first);
  });
});
