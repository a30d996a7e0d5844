import { describe, expect, it } from 'vitest';
import { settle } from '../kubernetes/manual-time.ts';
import { acknowledge, begin, connection, createStand, type Stand } from './fleet-fixtures.ts';
import type { FakeWorker } from './worker-fixtures.ts';

/** Time passes, and these say that they live, and answer what they are asked. */
async function alive(stand: Stand, seconds: number, ...workers: readonly FakeWorker[]): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    for (const one of workers) {
      one.say({ kind: 'beat' });
      one.answerPulses();
    }
    await stand.time.advance(1000);
  }
}

describe('connections of a worker that is gone', () => {
  it('go to another one where it never had them, and those that it had are its own', async () => {
    const { fleet, worker } = await createStand();
    const first = [connection(), connection()];
    for (const one of first) fleet.take(one);
    // The copy of the watcher, once the worker has its own.
    expect(first.map(({ isClosed }) => isClosed)).toEqual([true, true]);
    worker(0).isTaking = false;
    const [lost, next] = [connection(), connection()];
    fleet.take(lost);
    fleet.take(next);
    expect([worker(0).sockets, worker(1).sockets, lost.isClosed]).toEqual([2, 2, false]);
    worker(0).exit('SIGKILL');
    expect([worker(0).sockets, worker(1).sockets, lost.isClosed]).toEqual([2, 3, true]);
    expect(worker(1).given).toEqual([first[1], next, lost]);
  });

  it('are closed where nobody else serves, those that wait among them', async () => {
    const { fleet, worker } = await createStand(1);
    worker(0).isTaking = false;
    const all = [connection(), connection(), connection()];
    for (const one of all) fleet.take(one);
    expect([worker(0).sockets, all.map(({ isClosed }) => isClosed)]).toEqual([1, [false, false, false]]);
    worker(0).exit('SIGKILL');
    expect(all.map(({ isClosed }) => isClosed)).toEqual([true, true, true]);
  });

  it('do not wait for one that stands still: the others take them, and the one that was on its way goes to another when it is ended', async () => {
    const stand = await createStand();
    const { fleet, worker, time, ended } = stand;
    worker(0).isTaking = false;
    const all = Array.from({ length: 20 }, connection);
    for (const one of all) fleet.take(one);
    await time.advance(1000);
    expect([worker(0).sockets, worker(1).sockets]).toEqual([1, 19]);
    await alive(stand, 11, worker(1));
    expect([worker(0).isKilled, worker(1).isKilled]).toEqual([true, false]);
    worker(0).exit('SIGKILL');
    expect([ended, worker(1).sockets, all.filter(({ isClosed }) => !isClosed)]).toEqual([['hung'], 20, []]);
  });

  it('are closed at the end, and no worker is given one that is told to drain', async () => {
    const { fleet, worker } = await createStand();
    for (const one of [worker(0), worker(1)]) one.isTaking = false;
    const all = Array.from({ length: 5 }, connection);
    for (const one of all) fleet.take(one);
    void fleet.drain(5000);
    expect([worker(0).sockets, worker(1).sockets]).toEqual([3, 2]);
    worker(0).exit('1');
    expect([worker(0).sockets, worker(1).sockets]).toEqual([3, 2]);
    expect(all.filter(({ isClosed }) => isClosed)).toEqual(worker(0).given);
  });
});

describe('a connection that did not arrive', () => {
  it('is closed, and the worker gets the next one', async () => {
    const stand = await createStand(1);
    const { fleet, worker } = stand;
    worker(0).answerPulses();
    worker(0).isTaking = false;
    const [lost, next] = [connection(), connection()];
    fleet.take(lost);
    fleet.take(next);
    worker(0).isTaking = true;
    await stand.time.advance(999);
    // What was asked before it was sent says nothing of it.
    worker(0).say({ kind: 'pulse', number: 1 });
    expect([worker(0).sockets, lost.isClosed]).toEqual([1, false]);
    await stand.time.advance(1);
    worker(0).answerPulses();
    expect([worker(0).sockets, lost.isClosed, worker(0).given]).toEqual([2, true, [lost, next]]);
  });

  it('counts no more: who has the fewest is another', async () => {
    const stand = await createStand();
    const { fleet, worker, time } = stand;
    worker(0).isTaking = false;
    fleet.take(connection());
    await time.advance(1000);
    worker(0).answerPulses();
    worker(0).isTaking = true;
    for (let i = 0; i < 4; i++) fleet.take(connection());
    expect([worker(0).sockets, worker(1).sockets]).toEqual([3, 2]);
  });
});

describe('what a worker is told', () => {
  it('comes before the connections that wait: one is on its way at most', async () => {
    const { fleet, worker, push } = await createStand(1);
    worker(0).isTaking = false;
    worker(0).kinds();
    for (let i = 0; i < 300; i++) fleet.take(connection());
    fleet.tell({ kind: 'revoked', entries: [['x', 1]] });
    void fleet.passed();
    push('a');
    await settle();
    expect([worker(0).kinds(), worker(0).sockets]).toEqual([['revoked', 'pass', 'documents', 'revision'], 1]);
    worker(0).takeOne();
    expect(worker(0).sockets).toBe(2);
    worker(0).isTaking = true;
    worker(0).takeOne();
    expect(worker(0).sockets).toBe(300);
  });
});

describe('workers that have much to do', () => {
  it('are not ended for it while they say that they live, though they take no connection and no message for long', async () => {
    const stand = await createStand();
    const { fleet, worker, time, ended } = stand;
    for (const one of [worker(0), worker(1)]) one.isTaking = false;
    for (let i = 0; i < 100; i++) fleet.take(connection());
    for (let second = 0; second < 55; second++) {
      for (const one of [worker(0), worker(1)]) one.say({ kind: 'beat' });
      await time.advance(1000);
    }
    expect([worker(0).isKilled, worker(1).isKilled, fleet.status().serving]).toEqual([false, false, 2]);
    await alive(stand, 60, worker(0), worker(1));
    expect([worker(0).isKilled, worker(1).isKilled, ended]).toEqual([false, false, []]);
  });

  it('are ended where they answer nothing for a minute', async () => {
    const stand = await createStand();
    const { worker, time, ended } = stand;
    for (let second = 0; second < 62; second++) {
      worker(0).say({ kind: 'beat' });
      worker(1).say({ kind: 'beat' });
      worker(1).answerPulses();
      await time.advance(1000);
    }
    expect([worker(0).isKilled, worker(1).isKilled]).toEqual([true, false]);
    worker(0).exit('SIGKILL');
    expect(ended).toEqual(['late']);
  });

  it('are ended one after the other where several say nothing: somebody serves', async () => {
    const stand = await createStand(3);
    const { worker, time, fleet, ended, born } = stand;
    await alive(stand, 12, worker(2));
    expect([0, 1, 2].map((one) => worker(one).isKilled)).toEqual([true, false, false]);
    worker(0).exit('SIGKILL');
    await alive(stand, 20, worker(2));
    expect([born.length, worker(1).isKilled, fleet.status().serving]).toEqual([4, false, 2]);
    begin(worker(3));
    await acknowledge(worker(3), 0);
    await alive(stand, 1, worker(2), worker(3));
    expect([worker(1).isKilled, worker(2).isKilled]).toEqual([true, false]);
    worker(1).exit('SIGKILL');
    expect(ended).toEqual(['hung', 'hung']);
    await time.advance(0);
  });

  it('are ended all the same where they say nothing for a minute', async () => {
    const stand = await createStand();
    await alive(stand, 58);
    expect([stand.worker(0).isKilled, stand.worker(1).isKilled]).toEqual([true, false]);
    await alive(stand, 4);
    expect(stand.worker(1).isKilled).toBe(true);
  });
});
