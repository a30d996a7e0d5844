import { expect, it } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import type {
  Revocation,
  RevocationControl,
  RevocationListHandle,
  RevocationListReading,
} from '../../../src/core/revocation.ts';
import { createReceivedList } from '../../../src/runtime/workers/received-list.ts';
import { createRevocationRelay } from '../../../src/runtime/workers/revocation-relay.ts';
import type { ToWorker } from '../../../src/runtime/workers/messages.ts';
import { createMemorySharedList } from '../../../src/stores/memory-shared-list.ts';
import { createManualTime, settle } from '../kubernetes/manual-time.ts';

const revocation = (value: string): Revocation => ({
  scope: { issuer: 'https://idp.example', namespace: '', provider: '' },
  target: 'jti',
  value,
  issuedBefore: undefined,
  expiresAt: undefined,
});

function createStand(isShared = false) {
  const time = createManualTime();
  const told: ToWorker[] = [];
  const passing: PromiseWithResolvers<void>[] = [];
  let unreadable: string | undefined;
  const relay = createRevocationRelay(
    { ...createMemorySharedList(time), unreadable: () => unreadable },
    {
      tell: (message) => void told.push(message),
      passed: () => {
        const one = Promise.withResolvers<void>();
        passing.push(one);
        return one.promise;
      },
    },
    { isShared, clock: time.clock },
  );
  const taken: (RevocationListReading | string)[] = [];
  const handle: RevocationListHandle = {
    take: async (reading) => {
      let step = reading.next();
      while (step.done !== true) step = reading.next();
      taken.push(step.value);
    },
    confirm: () => void taken.push('confirmed'),
    fail: (why) => void taken.push(why),
  };
  const control: RevocationControl = {
    add: async () => ({ kind: 'kept', isShared: true, isWidened: false }),
    openList: () => handle,
    whenTaken: () => Promise.resolve(),
    status: () => ({ sources: [], signals: 0, widened: 0 }),
  };
  return { time, relay, told, passing, taken, control, fail: (why?: string) => void (unreadable = why) };
}

function* readingOf(entries: readonly Revocation[], problem?: string): Generator<undefined, RevocationListReading> {
  yield undefined;
  return { entries, problem };
}

it('tells workers what is added before whoever adds is answered', async () => {
  const { relay, told, passing } = createStand();
  let isAdded = false;
  void relay.list.add('entry', 4_000_000_000_000).then(() => {
    isAdded = true;
  });
  await settle();
  expect([told, isAdded]).toEqual([[{ kind: 'revoked', entries: [['entry', 4_000_000_000_000]] }], false]);
  passing[0]?.resolve();
  await settle();
  expect(isAdded).toBe(true);
});

it('does not say that it is added where a worker does not have it', async () => {
  const { relay, passing } = createStand();
  const added = relay.list.add('entry', 4_000_000_000_000);
  passing[0]?.reject(new Failure('worker_silent', 'a worker does not answer'));
  await expect(added).rejects.toMatchObject({ code: 'worker_silent' });
});

it('says that other replicas have it only where they share the list', async () => {
  const outcome = { kind: 'kept', isWidened: false };
  const [alone, shared] = [createStand(), createStand(true)];
  expect(await alone.relay.relay(alone.control).add('admin', [])).toEqual({ ...outcome, isShared: false });
  expect(await shared.relay.relay(shared.control).add('admin', [])).toEqual({ ...outcome, isShared: true });
});

it('gives a worker that knows nothing all entries, a thousand in a message', async () => {
  const { relay, passing } = createStand();
  for (let i = 0; i < 2500; i++) void relay.list.add(`entry-${i}`, 4_000_000_000_000 + i);
  for (const one of passing) one.resolve();
  const whole = relay.whole();
  expect(whole.map((message) => message.kind === 'revoked' && message.entries.length)).toEqual([1000, 1000, 500]);
  const time = createManualTime();
  const list = createReceivedList(10_000, { ...time, among: 'workers' });
  for (const message of whole) if (message.kind === 'revoked') list.take(message.entries);
  expect([list.entries.size, list.entries.get('entry-2499')]).toEqual([2500, 4_000_000_002_499]);
});

it('tells what is read in the cluster, and a worker that comes later the last whole list with what was read beside it since', async () => {
  const { relay, control, taken, told, time } = createStand();
  const list = relay.relay(control).openList('configMap');
  await list.take(readingOf([revocation('a')]));
  list.confirm();
  await list.take(readingOf([revocation('b')], 'line 2 is no JSON'));
  await list.take(readingOf([revocation('b'), revocation('c')], 'line 3 is no JSON'));
  await time.advance(3000);
  list.fail('the ConfigMap does not exist');
  await time.advance(4000);
  expect(taken).toEqual([
    { entries: [revocation('a')], problem: undefined },
    'confirmed',
    { entries: [revocation('b')], problem: 'line 2 is no JSON' },
    { entries: [revocation('b'), revocation('c')], problem: 'line 3 is no JSON' },
    'the ConfigMap does not exist',
  ]);
  expect(told).toHaveLength(5);
  expect(relay.whole()).toEqual([
    {
      kind: 'listed',
      news: { kind: 'read', reading: { entries: [revocation('a')], problem: undefined }, ageMs: 7000 },
    },
    {
      kind: 'listed',
      news: {
        kind: 'read',
        reading: { entries: [revocation('b'), revocation('c')], problem: 'line 3 is no JSON' },
        ageMs: 7000,
      },
    },
    { kind: 'listed', news: { kind: 'failed', why: 'the ConfigMap does not exist' } },
  ]);
  await list.take(readingOf([revocation('d')]));
  expect(relay.whole()).toEqual([
    { kind: 'listed', news: { kind: 'read', reading: { entries: [revocation('d')], problem: undefined }, ageMs: 0 } },
  ]);
  await time.advance(5000);
  list.confirm();
  await time.advance(1000);
  expect(relay.whole()).toMatchObject([{ news: { kind: 'read', ageMs: 1000 } }]);
});

it('tells how long ago the list was readable, while it is not', async () => {
  const { relay, fail, time } = createStand(true);
  fail('the list was not read lately');
  expect(relay.readState()).toEqual({ unreadable: 'the list was not read lately', readAgeMs: undefined });
  fail();
  expect(relay.readState()).toEqual({ unreadable: undefined, readAgeMs: 0 });
  await time.advance(1000);
  fail('Redis does not answer');
  await time.advance(2000);
  expect(relay.readState()).toEqual({ unreadable: 'Redis does not answer', readAgeMs: 3000 });
});

it('leaves a file to each worker', async () => {
  const { relay, control, told } = createStand();
  await relay
    .relay(control)
    .openList('file')
    .take(readingOf([revocation('a')]));
  expect([told, relay.whole()]).toEqual([[], []]);
});

it('a list that a worker was given counts as unread before it is told so, and where the watcher falls silent', async () => {
  const time = createManualTime();
  const list = createReceivedList(10, { ...time, among: 'workers' });
  expect(list.unreadable()).toBe('it was not told yet');
  expect(list.readAgeMs?.()).toBeUndefined();
  list.pulse({ unreadable: undefined, readAgeMs: 0 });
  expect(list.unreadable()).toBeUndefined();
  list.pulse({ unreadable: 'Redis does not answer', readAgeMs: 3000 });
  await time.advance(500);
  expect([list.unreadable(), list.readAgeMs?.()]).toEqual(['Redis does not answer', 3500]);
  list.pulse({ unreadable: undefined, readAgeMs: 0 });
  await time.advance(5001);
  expect(list.unreadable()).toBe('the process that watches does not say anything');
  await expect(list.add('entry', 1)).rejects.toMatchObject({ code: 'store_unavailable' });
});
