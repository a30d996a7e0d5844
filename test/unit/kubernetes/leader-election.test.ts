import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { memberObject } from '../../../src/kubernetes/api-object.ts';
import { ApiFailure } from '../../../src/kubernetes/api-failure.ts';
import type { ApiRequest, KubernetesApi } from '../../../src/kubernetes/kubernetes-api.ts';
import { createLeaderElection, type LeaderElection } from '../../../src/kubernetes/leader-election.ts';
import { createManualTime, type ManualTime } from './manual-time.ts';

/** One Lease with the versions of an API server; `isDown` makes every exchange fail for one identity, or for all. */
interface FakeLease {
  readonly api: (identity: string) => KubernetesApi;
  holder(): string;
  readonly down: Set<string>;
  object: JsonObject | undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function createFakeLease(): FakeLease {
  let version = 0;
  const fake: FakeLease = {
    object: undefined,
    down: new Set(),
    holder: () => textOf(memberObject(fake.object ?? {}, 'spec')['holderIdentity']),
    api: (identity) => ({
      request: async ({ method, body }: ApiRequest) => {
        if (fake.down.has(identity)) throw new ApiFailure('api_unreachable', 'connection refused');
        if (method === 'GET') {
          if (fake.object === undefined) throw new ApiFailure('api_not_found', '404');
          return fake.object;
        }
        const metadata = (body as JsonObject)['metadata'] as JsonObject;
        const known = fake.object?.['metadata'] as JsonObject | undefined;
        if (method === 'POST' ? known !== undefined : metadata['resourceVersion'] !== known?.['resourceVersion'])
          throw new ApiFailure('api_conflict', '409');
        version++;
        fake.object = {
          ...(body as JsonObject),
          metadata: { ...metadata, uid: 'lease', resourceVersion: `${version}` },
        };
        return fake.object;
      },
      watch: () => Promise.reject(new Error('no watch')),
      close: async () => undefined,
    }),
  };
  return fake;
}

const elections: LeaderElection[] = [];
afterEach(() => elections.splice(0));

function start(
  lease: FakeLease,
  time: ManualTime,
  identity: string,
): { election: LeaderElection; changes: boolean[]; warnings: unknown[] } {
  const changes: boolean[] = [];
  const warnings: unknown[] = [];
  const silent = (): void => undefined;
  const election = createLeaderElection({
    namespace: 'portcullis',
    name: 'portcullis',
    identity,
    onChange: (leads) => void changes.push(leads),
    ports: {
      api: lease.api(identity),
      ...time,
      random: { id: () => 'id', fraction: () => 0 },
      logger: { debug: silent, info: silent, warn: (fields) => void warnings.push(fields['error']), error: silent },
    },
  });
  elections.push(election);
  return { election, changes, warnings };
}

describe('the election of a leader', () => {
  it('makes the first the leader, and it stays so', async () => {
    const [lease, time] = [createFakeLease(), createManualTime()];
    const a = start(lease, time, 'a');
    await time.advance(1);
    const b = start(lease, time, 'b');
    await time.advance(120_000);
    expect([a.election.leads(), b.election.leads(), lease.holder()]).toEqual([true, false, 'a']);
    expect([a.changes, b.changes]).toEqual([[true], []]);
  });

  it('hands over at once when the leader stops in order', async () => {
    const [lease, time] = [createFakeLease(), createManualTime()];
    const a = start(lease, time, 'a');
    await time.advance(1);
    const b = start(lease, time, 'b');
    await time.advance(10);
    await a.election.close();
    await time.advance(2500);
    expect([a.election.leads(), b.election.leads()]).toEqual([false, true]);
    expect(memberObject(lease.object ?? {}, 'spec')['leaseTransitions']).toBe(1);
  });

  it('waits for the whole lease, by its own clock, where the leader is gone without a word', async () => {
    const [lease, time] = [createFakeLease(), createManualTime()];
    start(lease, time, 'a');
    await time.advance(1);
    const b = start(lease, time, 'b');
    await time.advance(3000);
    lease.down.add('a');
    await time.advance(12_000);
    expect(b.election.leads()).toBe(false);
    await time.advance(8000);
    expect([b.election.leads(), lease.holder()]).toEqual([true, 'b']);
  });

  it('never has two leaders: one that cannot renew stops before another may begin', async () => {
    const [lease, time] = [createFakeLease(), createManualTime()];
    const a = start(lease, time, 'a');
    await time.advance(1);
    const b = start(lease, time, 'b');
    await time.advance(3000);
    lease.down.add('a');
    for (let step = 0; step < 300; step++) {
      await time.advance(100);
      expect(a.election.leads() && b.election.leads()).toBe(false);
    }
    expect(a.changes).toEqual([true, false]);
    expect(b.changes).toEqual([true]);
    expect(a.warnings).toEqual(['connection refused']);
  });

  it('takes its own lease again after a restart under the same name', async () => {
    const [lease, time] = [createFakeLease(), createManualTime()];
    start(lease, time, 'a');
    await time.advance(1);
    lease.down.clear();
    const again = start(lease, time, 'a');
    await time.advance(1);
    expect(again.election.leads()).toBe(true);
  });

  it('of two that come for a free lease at once makes one the leader', async () => {
    const [lease, time] = [createFakeLease(), createManualTime()];
    const a = start(lease, time, 'a');
    const b = start(lease, time, 'b');
    await time.advance(5000);
    expect([a.election.leads(), b.election.leads()].filter(Boolean)).toHaveLength(1);
  });

  it('waits for two minutes at most for a holder that never renews it, whatever the Lease says', async () => {
    const [lease, time] = [createFakeLease(), createManualTime()];
    const spec = { holderIdentity: 'nobody', leaseDurationSeconds: 2_000_000_000, renewTime: 'x' };
    lease.object = { metadata: { name: 'portcullis', uid: 'lease', resourceVersion: '1' }, spec };
    const { election } = start(lease, time, 'a');
    await time.advance(119_000);
    expect(election.leads()).toBe(false);
    await time.advance(5000);
    expect(election.leads()).toBe(true);
  });

  it('begins to lead anew where it could not renew in time though nobody took the lease', async () => {
    const [lease, time] = [createFakeLease(), createManualTime()];
    let hanging: Promise<void> | undefined;
    const api = lease.api('a');
    const wait = async (request: ApiRequest): Promise<JsonObject> => {
      await hanging;
      return api.request(request);
    };
    const { election, changes } = start({ ...lease, api: () => ({ ...api, request: wait }) }, time, 'a');
    await time.advance(3000);
    const hang = Promise.withResolvers<void>();
    hanging = hang.promise;
    await time.advance(12_500);
    // Whoever asks now is told to write nothing.
    expect(election.leads()).toBe(false);
    hang.resolve();
    await time.advance(5000);
    expect(election.leads()).toBe(true);
    // What came meanwhile is looked at because it is told again that we lead.
    expect(changes).toEqual([true, false, true]);
  });
});
