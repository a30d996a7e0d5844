import { describe, expect, it } from 'vitest';
import { settle } from '../kubernetes/manual-time.ts';
import { acknowledge, begin, connection, createStand, type Stand } from './fleet-fixtures.ts';
import type { FakeWorker } from './worker-fixtures.ts';

describe('a revision', () => {
  it('is in force when all have acknowledged it, and not before', async () => {
    const { push, worker, fleet } = await createStand();
    const first = push('a');
    await settle();
    expect([worker(0).kinds().slice(-2), worker(1).kinds().slice(-2)]).toEqual([
      ['documents', 'revision'],
      ['documents', 'revision'],
    ]);
    await acknowledge(worker(0), 1);
    expect([first.isInForce, fleet.status()]).toEqual([false, { wanted: 2, serving: 2, sent: 1, inForce: 0 }]);
    await acknowledge(worker(1), 1);
    expect([first.isInForce, fleet.status()]).toEqual([true, { wanted: 2, serving: 2, sent: 1, inForce: 1 }]);
  });

  it('is acknowledged with those before it, and twice is as good as once', async () => {
    const { push, worker, fleet } = await createStand();
    const [first, second] = [push('a'), push('b')];
    await acknowledge(worker(0), 2);
    await acknowledge(worker(0), 1);
    await acknowledge(worker(1), 1);
    expect([first.isInForce, second.isInForce, fleet.status().inForce]).toEqual([true, false, 1]);
    await acknowledge(worker(1), 2);
    expect([second.isInForce, fleet.status().inForce]).toEqual([true, 2]);
  });

  it('does not wait for a worker that dies with it under way; who takes its place has everything before its first connection', async () => {
    const { push, worker, fleet, time, born, ended } = await createStand();
    const first = push('a');
    await acknowledge(worker(0), 1);
    expect(first.isInForce).toBe(false);
    worker(1).exit('SIGKILL');
    await settle();
    expect([first.isInForce, fleet.status().serving, ended]).toEqual([true, 1, ['died']]);
    await time.advance(100);
    expect(born).toHaveLength(3);
    expect(worker(2).kinds()).toEqual(['revoked', 'pulse', 'pass', 'documents', 'revision']);
    begin(worker(2));
    await settle();
    for (let i = 0; i < 3; i++) fleet.take(connection());
    expect([fleet.status().serving, worker(0).sockets, worker(2).sockets]).toEqual([1, 3, 0]);
    await acknowledge(worker(2), 1);
    fleet.take(connection());
    expect([fleet.status().serving, worker(0).sockets, worker(2).sockets]).toEqual([2, 3, 1]);
  });

  it('that comes while a new worker is on its way does not wait for it, and it is let in with that revision', async () => {
    const { push, worker, fleet, time } = await createStand();
    worker(1).exit('1');
    await time.advance(100);
    begin(worker(2));
    expect(fleet.status().serving).toBe(2);
    worker(2).exit('1');
    await time.advance(1000);
    const first = push('a');
    await acknowledge(worker(0), 1);
    expect(first.isInForce).toBe(true);
    begin(worker(3));
    await settle();
    expect(fleet.status()).toEqual({ wanted: 2, serving: 1, sent: 1, inForce: 1 });
    await acknowledge(worker(3), 1);
    expect(fleet.status().serving).toBe(2);
  });

  it('is in force nowhere while no worker lives', async () => {
    const { push, worker, time, fleet } = await createStand(1);
    worker(0).exit('SIGSEGV');
    const first = push('a');
    await time.advance(100);
    expect([first.isInForce, fleet.status()]).toEqual([false, { wanted: 1, serving: 0, sent: 1, inForce: 0 }]);
    begin(worker(1));
    await acknowledge(worker(1), 1);
    expect([first.isInForce, fleet.status().inForce]).toEqual([true, 1]);
  });

  it('that a worker has lost is sent with everything else', async () => {
    const { push, worker } = await createStand(1);
    push('a');
    push('b');
    await settle();
    worker(0).kinds();
    worker(0).say({ kind: 'lost', received: 0 });
    await settle();
    const message = worker(0).messages.at(-1);
    expect([worker(0).kinds(), message]).toMatchObject([
      ['documents', 'revision'],
      { kind: 'revision', number: 2, isWhole: true },
    ]);
  });

  it('that a worker could not take in ends it, before anybody thinks that it serves by it', async () => {
    const { push, worker, ended, fleet } = await createStand();
    const first = push('a');
    await acknowledge(worker(0), 1, false);
    await acknowledge(worker(1), 1);
    expect([worker(0).isKilled, first.isInForce, fleet.status().serving]).toEqual([true, true, 1]);
    worker(0).exit('SIGKILL');
    expect(ended).toEqual(['failed']);
  });

  it('as a whole that could not all be taken in does not end a worker: the next one would do no better', async () => {
    const { push, worker, time, fleet } = await createStand(1);
    push('a');
    worker(0).exit('1');
    await time.advance(100);
    begin(worker(1));
    await acknowledge(worker(1), 1, false);
    expect([worker(1).isKilled, fleet.status().serving]).toEqual([false, 1]);
  });
});

describe('a worker that does not do what it has to', () => {
  const alive = async (stand: Stand, seconds: number, ...workers: readonly FakeWorker[]): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      for (const one of workers) one.say({ kind: 'pulse', number: i });
      await stand.time.advance(1000);
    }
  };

  it('is told as late after five seconds, and ended after a minute: nobody is left to decide by an older policy', async () => {
    const stand = await createStand();
    const { push, worker, states, ended, log } = stand;
    const first = push('a');
    await acknowledge(worker(0), 1);
    await alive(stand, 7, worker(0), worker(1));
    expect([states.at(-1), worker(1).isKilled, first.isInForce]).toEqual([
      { serving: 2, starting: 0, late: 1 },
      false,
      false,
    ]);
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({ worker: 2, acknowledged: 0, sent: 1 }),
    ]);
    await alive(stand, 56, worker(0), worker(1));
    expect([worker(1).isKilled, worker(0).isKilled, first.isInForce]).toEqual([true, false, true]);
    worker(1).exit('SIGKILL');
    expect(ended).toEqual(['late']);
  });

  it('is ended where it says nothing for ten seconds', async () => {
    const stand = await createStand();
    const { worker, ended } = stand;
    await alive(stand, 12, worker(0));
    expect([worker(0).isKilled, worker(1).isKilled]).toEqual([false, true]);
    worker(1).exit('SIGKILL');
    expect(ended).toEqual(['hung']);
  });

  it('is ended where it does not start within a minute', async () => {
    const stand = await createStand(1, false);
    await stand.time.advance(62_000);
    stand.worker(0).exit('SIGKILL');
    expect(stand.ended).toEqual(['unstarted']);
  });

  it('comes back ever more rarely', async () => {
    const { born, worker, time, log } = await createStand(1);
    for (let i = 0; i < 6; i++) {
      worker(i).exit('1');
      await time.advance(60_000);
      expect(born).toHaveLength(i + 2);
    }
    expect(log.lines.flatMap(({ delayMs }) => delayMs ?? [])).toEqual([100, 200, 400, 800, 1600, 3200]);
  });
});

describe('the fleet', () => {
  it('has started when all have, and says why it cannot', async () => {
    const { fleet, worker } = await createStand(2, false);
    let hasStarted = false;
    fleet.started.then(
      () => {
        hasStarted = true;
      },
      () => undefined,
    );
    begin(worker(0));
    await settle();
    expect(hasStarted).toBe(false);
    worker(1).say({ kind: 'failed', code: 'tls_unusable', message: 'the key is not that of the certificate' });
    await expect(fleet.started).rejects.toMatchObject({
      code: 'tls_unusable',
      message: 'the key is not that of the certificate',
    });
  });

  it('gives a connection to who has the fewest, and in turn where all have as many', async () => {
    const { fleet, worker } = await createStand(3);
    for (let i = 0; i < 4; i++) fleet.take(connection());
    expect([0, 1, 2].map((one) => worker(one).sockets)).toEqual([2, 1, 1]);
    worker(1).say({ kind: 'closed' });
    fleet.take(connection());
    expect([0, 1, 2].map((one) => worker(one).sockets)).toEqual([2, 2, 1]);
  });

  it('gives no connection to one that has not in force yet what it was told first, revocations among it', async () => {
    const { fleet, worker } = await createStand(1, false);
    worker(0).say({ kind: 'started' });
    fleet.take(connection());
    expect([worker(0).sockets, fleet.status().serving]).toEqual([0, 0]);
    expect(worker(0).messages.slice(0, 3)).toEqual([
      { kind: 'revoked', entries: [] },
      { kind: 'pulse', number: 1, sent: 0, revoked: { unreadable: undefined, readAgeMs: 0 } },
      { kind: 'pass', number: 1 },
    ]);
    worker(0).say({ kind: 'passed', number: 1 });
    await fleet.started;
    fleet.take(connection());
    expect([worker(0).sockets, fleet.status().serving]).toEqual([1, 1]);
  });

  it('answers whoever revokes when all have in force what they were told, and does not wait for who is gone', async () => {
    const { fleet, worker } = await createStand();
    let isPassed = false;
    void fleet.passed().then(() => {
      isPassed = true;
    });
    worker(0).say({ kind: 'passed', number: 2 });
    await settle();
    expect(isPassed).toBe(false);
    worker(1).exit('SIGKILL');
    await settle();
    expect(isPassed).toBe(true);
  });

  it('does not answer that a revocation is in force where a worker does not say so', async () => {
    const { fleet, worker, time } = await createStand();
    const passed = fleet.passed();
    worker(0).say({ kind: 'passed', number: 2 });
    void time.advance(2000);
    await expect(passed).rejects.toMatchObject({ code: 'worker_silent' });
  });

  it('keeps what workers counted that are gone', async () => {
    const { fleet, worker } = await createStand();
    const told = (value: number) => [
      { name: 'n_total', help: 'N.', type: 'counter', values: [{ value, labels: {} }] },
      { name: 'g', help: 'G.', type: 'gauge', values: [{ value, labels: {} }] },
    ];
    const sum = async (): Promise<number> => {
      const read = fleet.metrics();
      for (const [index, one] of [worker(0), worker(1)].entries())
        one.say({ kind: 'measured', number: 2, metrics: told(index + 1) });
      return (await read)
        .flat()
        .reduce((total, { name, values }) => total + (name === 'n_total' ? (values[0]?.value ?? 0) : 0), 0);
    };
    expect(await sum()).toBe(3);
    worker(1).exit('SIGKILL');
    const read = fleet.metrics();
    worker(0).say({ kind: 'measured', number: 3, metrics: told(5) });
    const all = await read;
    expect(all.flat().map(({ name, values }) => [name, values[0]?.value])).toEqual([
      ['n_total', 2],
      ['n_total', 5],
      ['g', 5],
    ]);
  });

  it('is drained when all are, and starts nobody any more', async () => {
    const { fleet, worker, time, born } = await createStand();
    const drained = fleet.drain(5000);
    worker(0).say({ kind: 'drained', metrics: [] });
    worker(1).exit('1');
    expect(await drained).toBe('drained');
    await time.advance(10_000);
    expect(born).toHaveLength(2);
  });

  it('waits for a drain as long as it may, and ends who does not end', async () => {
    const { fleet, worker, time } = await createStand(1);
    const drained = fleet.drain(5000);
    await time.advance(5000);
    expect(await drained).toBe('forced');
    const closed = fleet.close();
    await time.advance(1000);
    expect(worker(0).isKilled).toBe(true);
    worker(0).exit('SIGKILL');
    await closed;
  });
});
