import type { Clock, Random, Timers } from '../core/ports.ts';
import { createBackOff, type BackOff } from './back-off.ts';

/** Keys that want work, each at most once at a time. */
export interface WorkQueue {
  add(key: string): void;
  close(): Promise<void>;
}

export interface WorkQueueOptions {
  /** Does the work for the key. A rejection puts it back with a growing pause. */
  readonly work: (key: string) => Promise<void>;
  /** How many at once. */
  readonly width: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

const sliceMs = 5;

/** Works in the order of arrival, and lets others run in between. A key that is added while it is worked on is worked on once more. */
export function createWorkQueue({ work, width, clock, timers, random }: WorkQueueOptions): WorkQueue {
  const waiting = new Set<string>();
  const active = new Map<string, Promise<void>>();
  const again = new Set<string>();
  const backOffs = new Map<string, BackOff>();
  let closed = false;
  const later = (key: string): void => {
    const backOff = backOffs.get(key) ?? createBackOff({ firstMs: 200, maxMs: 30_000 }, random);
    backOffs.set(key, backOff);
    timers.after(backOff.next(), () => add(key));
  };
  const run = async (key: string): Promise<void> => {
    try {
      await work(key);
      backOffs.delete(key);
    } catch {
      later(key);
    }
    active.delete(key);
    if (again.delete(key)) waiting.add(key);
    next();
  };
  /** Until when we may go on before others run, and whether we wait for them. */
  let sliceEnd = 0;
  let isPausing = false;
  const pause = (): void => {
    isPausing = true;
    timers.after(0, () => {
      isPausing = false;
      sliceEnd = clock.monotonic() + sliceMs;
      next();
    });
  };
  function next(): void {
    for (const key of waiting) {
      if (closed || isPausing || active.size >= width) return;
      // Work that ends at once would otherwise be done for all keys in one go, and hold up requests.
      if (clock.monotonic() >= sliceEnd) return pause();
      waiting.delete(key);
      active.set(key, run(key));
    }
  }
  function add(key: string): void {
    if (closed) return;
    if (active.has(key)) again.add(key);
    else waiting.add(key);
    next();
  }
  return {
    add,
    close: async () => {
      closed = true;
      await Promise.all(active.values());
    },
  };
}
