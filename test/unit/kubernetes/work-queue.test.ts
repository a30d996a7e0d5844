import { describe, expect, it } from 'vitest';
import { createWorkQueue } from '../../../src/kubernetes/work-queue.ts';
import { createManualTime, settle } from './manual-time.ts';

describe('the work queue', () => {
  const random = { id: () => 'id', fraction: () => 0 };

  it('works on each key once at a time, in order, and again where it was added meanwhile', async () => {
    const time = createManualTime();
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const work = (key: string): Promise<void> => {
      begun.push(key);
      return new Promise((resolve) => ends.push(resolve));
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
      work: async (key) => void done.push(key),
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

  it('does nothing more once it is closed', async () => {
    const time = createManualTime();
    const done: string[] = [];
    const queue = createWorkQueue({ work: async (key) => void done.push(key), width: 1, random, ...time });
    await queue.close();
    queue.add('a');
    await time.advance(10);
    expect(done).toEqual([]);
  });
});
