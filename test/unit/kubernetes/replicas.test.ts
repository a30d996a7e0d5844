import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { ApiFailure } from '../../../src/kubernetes/api-failure.ts';
import type { ApiRequest, KubernetesApi, WatchEvent } from '../../../src/kubernetes/kubernetes-api.ts';
import { createReplicas, type Replicas } from '../../../src/kubernetes/replicas.ts';
import { createFakeApi, eventOf, objectOf, type FakeApi } from './fake-api.ts';
import { createManualTime, type ManualTime } from './manual-time.ts';

const all: Replicas[] = [];
afterEach(() => {
  for (const replicas of all.splice(0)) replicas.close();
});

const lease = (name: string, version: number, seconds = 40): JsonObject =>
  objectOf(name, version, {
    spec: { holderIdentity: name, leaseDurationSeconds: seconds, renewTime: `${version}` },
  });

function start(mayDelete: boolean): { replicas: Replicas; api: FakeApi; time: ManualTime; deletes: ApiRequest[] } {
  const [api, time] = [createFakeApi(), createManualTime()];
  const deletes: ApiRequest[] = [];
  const withDeletes: KubernetesApi = {
    ...api,
    request: async (request) => {
      if (request.method !== 'DELETE') return api.request(request);
      deletes.push(request);
      throw new ApiFailure('api_unavailable', '503');
    },
  };
  const silent = (): void => undefined;
  const replicas = createReplicas({
    namespace: 'portcullis',
    group: 'portcullis',
    ports: {
      api: withDeletes,
      ...time,
      random: { id: () => 'id', fraction: () => 0 },
      logger: { debug: silent, info: silent, warn: silent, error: silent },
    },
    onChange: silent,
    mayDelete: () => mayDelete,
  });
  all.push(replicas);
  return { replicas, api, time, deletes };
}

async function bring(api: FakeApi, time: ManualTime, ...events: readonly WatchEvent[]): Promise<void> {
  await time.advance(1);
  (await api.nextWatch()).push(...events);
  await time.advance(1);
}

describe('the replicas', () => {
  const identities = (replicas: Replicas): readonly string[] => replicas.all().map(({ identity }) => identity);

  it('are those whose Leases are renewed; the Lease of one that is gone is deleted until that succeeds, unless it is renewed', async () => {
    const { replicas, api, time, deletes } = start(true);
    await bring(api, time, eventOf('ADDED', lease('a', 1)), eventOf('ADDED', lease('b', 2)));
    await time.advance(30_000);
    await bring(api, time, eventOf('MODIFIED', lease('a', 3)));
    expect(identities(replicas)).toEqual(['a', 'b']);
    await time.advance(25_000);
    expect(identities(replicas)).toEqual(['a']);
    expect(deletes.length).toBeGreaterThan(1);
    expect(new Set(deletes.map((request) => JSON.stringify(request)))).toEqual(
      new Set([
        JSON.stringify({
          method: 'DELETE',
          path: '/apis/coordination.k8s.io/v1/namespaces/portcullis/leases/b',
          body: { preconditions: { resourceVersion: '2' } },
        }),
      ]),
    );
    await bring(api, time, eventOf('DELETED', lease('b', 4)));
    const before = deletes.length;
    await time.advance(10_000);
    expect(deletes).toHaveLength(before);
  });

  it('are deleted by nobody but the leader', async () => {
    const { replicas, api, time, deletes } = start(false);
    await bring(api, time, eventOf('ADDED', lease('b', 2)));
    await time.advance(90_000);
    expect([identities(replicas), deletes]).toEqual([[], []]);
  });

  it('are not waited for as long as their Leases like', async () => {
    const { replicas, api, time } = start(false);
    await bring(api, time, eventOf('ADDED', lease('b', 2, 2_000_000_000)));
    await time.advance(60_000);
    expect(identities(replicas)).toEqual(['b']);
    await time.advance(61_000);
    expect(identities(replicas)).toEqual([]);
  });
});
