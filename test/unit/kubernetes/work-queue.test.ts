import { describe, expect, it } from 'vitest';
import type { Timers } from '../../../src/core/ports.ts';
import { createWorkQueue, type WorkOutcome } from '../../../src/kubernetes/work-queue.ts';
import { createManualTime, settle, type ManualTime } from './manual-time.ts';

const outcome: WorkOutcome = { kind: 'done' };

describe('the work queue', () => {
  const random = { id: () => 'id', fraction: () => 0 };

  it('works on each key once at a time, in order, and again where it was added meanwhile', async () => {
    const time = createManualTime();
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const work = (key: string): Promise<WorkOutcome> => {
      begun.push(key);
      return new Promise((resolve) => ends.push(() => resolve(outcome)));
    };
    const queue = createWorkQueue({ work, width: 2, random, ...time });
    for (const key of ['a', 'b', 'a', 'c']) queue.add(key);
    await time.advance(1);
    expect(begun).toEqual(['a', 'b']);
    queue.add('a');
    for (const end of ends.splice(0)) end();
    await time.advance(1);
    expect(begun).toEqual(['a', 'b', 'c', 'a']);
  });

  it('puts back with a growing pause what failed', async () => {
    const time = createManualTime();
    const at: number[] = [];
    const queue = createWorkQueue({
      work: async () => {
        at.push(time.clock.monotonic());
        if (at.length < 4) throw new Error('not yet');
        return outcome;
      },
      width: 1,
      random,
      ...time,
    });
    queue.add('a');
    await time.advance(10_000);
    const pauses = at.slice(1).map((moment, index) => moment - (at[index] ?? 0));
    expect(pauses).toEqual([100, 200, 400]);
  });

  it('lets others run in between where the work of each key ends at once', async () => {
    const time = createManualTime();
    let monotonic = 0;
    const done: string[] = [];
    // Every look at the clock is a millisecond later.
    const clock = { now: () => 0, monotonic: () => monotonic++ };
    const queue = createWorkQueue({
      work: async (key) => {
        done.push(key);
        return outcome;
      },
      width: 4,
      random,
      clock,
      timers: time.timers,
    });
    for (let index = 0; index < 100; index++) queue.add(`${index}`);
    await settle();
    const first = done.length;
    await time.advance(1);
    expect(first).toBeLessThan(20);
    expect(done).toHaveLength(100);
  });

  it('does nothing more once it is closed, and waits for nothing', async () => {
    const { queue, time, begun, pending } = start(() => Promise.reject(new Error('no')));
    queue.add('a');
    await time.advance(10);
    expect([begun.length, pending()]).toEqual([1, 1]);
    await queue.close();
    queue.add('b');
    expect(pending()).toBe(0);
    await time.advance(1000);
    expect(begun).toHaveLength(1);
  });
});

/** A queue whose work is what the test says, with the times at which it was done. */
function start(work: (turn: number) => Promise<WorkOutcome>): {
  readonly queue: ReturnType<typeof createWorkQueue>;
  readonly time: ManualTime;
  readonly begun: number[];
  /** How many timers run. */
  readonly pending: () => number;
} {
  const time = createManualTime();
  const begun: number[] = [];
  let running = 0;
  const timers: Timers = {
    after: (delayMs, action) => {
      running++;
      const cancel = time.timers.after(delayMs, () => {
        running--;
        action();
      });
      return () => {
        running--;
        cancel();
      };
    },
  };
  const queue = createWorkQueue({
    work: () => {
      begun.push(time.clock.monotonic());
      return work(begun.length);
    },
    width: 4,
    random: { id: () => 'id', fraction: () => 0 },
    clock: time.clock,
    timers,
  });
  return { queue, time, begun, pending: () => running };
}

describe('a key whose work fails', () => {
  const refused = (): Promise<WorkOutcome> => Promise.reject(new Error('422'));

  it('has one timer, and whoever asks for it again and again shortens no pause', async () => {
    const { queue, time, begun, pending } = start(refused);
    const perHour: number[] = [];
    for (let hour = 0; hour < 4; hour++) {
      const before = begun.length;
      for (let turn = 0; turn < 180; turn++) {
        queue.add('a');
        await time.advance(20_000);
        expect(pending()).toBeLessThan(2);
      }
      perHour.push(begun.length - before);
    }
    // The pause grows to five minutes, of which a half is at random.
    expect(perHour).toEqual([34, 24, 24, 24]);
  });

  it('is not worked on at once where it was asked for while it failed', async () => {
    let fail: (() => void) | undefined;
    const { queue, time, begun } = start(() => new Promise((_, reject) => (fail = () => reject(new Error('422')))));
    queue.add('a');
    await time.advance(1);
    queue.add('a');
    fail?.();
    await time.advance(99);
    expect(begun).toEqual([0]);
    await time.advance(10);
    expect(begun).toHaveLength(2);
  });

  it('keeps its pause where the work is put off in between', async () => {
    const { queue, time, begun } = start((turn) =>
      turn === 4 ? Promise.resolve({ kind: 'later', delayMs: 10_000 }) : refused(),
    );
    queue.add('a');
    await time.advance(20_000);
    const pauses = begun.slice(1).map((moment, index) => moment - (begun[index] ?? 0));
    expect(pauses.slice(0, 6)).toEqual([100, 200, 400, 10_000, 800, 1600]);
  });

  it('is worked on at once where the work is another one, also while the old one fails', async () => {
    const { queue, time, begun } = start(refused);
    queue.add('a');
    await time.advance(60_000);
    const before = begun.length;
    queue.addAnew('a');
    await time.advance(100);
    // With the first pause again.
    expect(begun.slice(before)).toEqual([60_000, 60_100]);
    let fail: (() => void) | undefined;
    const slow = start(() => new Promise((_, reject) => (fail = () => reject(new Error('422')))));
    slow.queue.add('a');
    await slow.time.advance(1);
    slow.queue.addAnew('a');
    fail?.();
    await slow.time.advance(1);
    expect(slow.begun).toHaveLength(2);
  });

  it('is not worked on once it is forgotten', async () => {
    const { queue, time, begun, pending } = start(refused);
    queue.add('a');
    await time.advance(10);
    queue.forget('a');
    expect(pending()).toBe(0);
    await time.advance(600_000);
    expect(begun).toHaveLength(1);
  });
});
