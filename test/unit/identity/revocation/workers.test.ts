import { expect, test } from 'vitest';
import { Failure } from '../../../../src/core/failure.ts';
import type { SharedList } from '../../../../src/core/ports.ts';
import { identityOf, createStore, createWorld, provider, revocationOf, type World } from './revocation-world.ts';

const bob = { subject: 'bob', claims: { sub: 'bob', iat: 0 } };

function revokedBy({ revocations }: World, identity: Parameters<typeof identityOf>[0] = {}): unknown {
  const reviewed = revocations.reviewer(provider)({ identity: identityOf(identity) });
  return 'refused' in reviewed ? reviewed.refused?.revokedBy : undefined;
}

function processes(among: SharedList['among']): readonly [watcher: World, worker: World] {
  const store = createStore(among);
  return [createWorld({}, { shared: store.list() }), createWorld({}, { shared: store.list() })];
}

test('a worker says of a revocation that another process took where it came from, as one process does', async () => {
  const [watcher, worker] = processes('workers');
  await watcher.revocations.add('admin', [revocationOf({})]);
  await watcher.revocations.add('logout', [revocationOf({ value: 'bob' })]);
  expect([revokedBy(watcher), revokedBy(worker)]).toEqual(['admin', 'admin']);
  expect([revokedBy(worker, bob), revokedBy(worker, { ...bob, subject: 'carol', claims: { sub: 'carol' } })]).toEqual([
    'logout',
    undefined,
  ]);
});

test('what workers share is counted once, and is no source', async () => {
  const [watcher, worker] = processes('workers');
  await watcher.revocations.add('admin', [revocationOf({})]);
  expect(watcher.revocations.status().sources).toEqual([
    { source: 'admin', entries: 1, failure: undefined, problem: undefined },
  ]);
  expect(worker.revocations.status().sources).toEqual([]);
});

test('what replicas share is a source, which does not say where it came from', async () => {
  const [one, other] = processes('replicas');
  await one.revocations.add('admin', [revocationOf({})]);
  expect([revokedBy(one), revokedBy(other)]).toEqual(['admin', 'shared']);
  expect(one.revocations.status().sources.map(({ source, entries }) => [source, entries])).toEqual([
    ['admin', 1],
    ['shared', 1],
  ]);
});

test.each([
  ['worker_silent', 'all workers'],
  ['store_unavailable', 'the other replicas'],
])('the log says who did not take one: %s', async (code, who) => {
  const shared = { ...createStore().list(), add: () => Promise.reject(new Failure(code, 'no answer')) };
  const { revocations, log } = createWorld({}, { shared });
  expect(await revocations.add('admin', [revocationOf({})])).toEqual({ kind: 'not-shared' });
  expect(log.lines.map(({ message }) => message)).toEqual([`revocations could not be shared with ${who}`]);
});
