import type { Clock, Random, Timers } from '../core/ports.ts';
import { createBackOff, type BackOff } from '../std/back-off.ts';

/** Keys that want work, each at most once at a time. */
export interface WorkQueue {
  add(key: string): void;
  /** As `add`, after some milliseconds; no more than once at a time. */
  addLater(key: string, delayMs: number): void;
  close(): Promise<void>;
}

export interface WorkQueueOptions {
  /** Does the work for the key. A rejection puts it back with a growing pause. */
  readonly work: (key: string) => Promise<void>;
  /** True for what it failed with where it would fail for every key now: all rest for a while. */
  readonly isForAll?: (thrown: unknown) => boolean;
  /** How many at once. */
  readonly width: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

const sliceMs = 5;
/** Thousands of keys that all fail must not be a flood. */
const keyLimits = { firstMs: 200, maxMs: 300_000 };
const restLimits = { firstMs: 200, maxMs: 5000 };

/** Works in the order of arrival, and lets others run in between. A key that is added while it is worked on is worked on once more. */
export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { work, isForAll = () => false, width, clock, timers, random } = options;
  const waiting = new Set<string>();
  const active = new Map<string, Promise<void>>();
  const again = new Set<string>();
  const returns = createReturns(add, timers, random);
  const rest = createBackOff(restLimits, random);
  let closed = false;
  const run = async (key: string): Promise<void> => {
    try {
      await work(key);
      returns.succeeded(key);
      rest.reset();
    } catch (thrown) {
      returns.failed(key);
      if (isForAll(thrown)) pause(rest.next());
    }
    active.delete(key);
    if (again.delete(key)) waiting.add(key);
    next();
  };
  /** Until when we may go on before others run, and whether we wait for them. */
  let sliceEnd = 0;
  let isPausing = false;
  const pause = (delayMs: number): void => {
    if (isPausing) return;
    isPausing = true;
    timers.after(delayMs, () => {
      isPausing = false;
      sliceEnd = clock.monotonic() + sliceMs;
      next();
    });
  };
  function next(): void {
    for (const key of waiting) {
      if (closed || isPausing || active.size >= width) return;
      // Work that ends at once would otherwise be done for all keys in one go, and hold up requests.
      if (clock.monotonic() >= sliceEnd) return pause(0);
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
    addLater: (key, delayMs) => returns.later(key, delayMs),
    close: async () => {
      closed = true;
      await Promise.all(active.values());
    },
  };
}

/** Brings keys back after a while. */
interface Returns {
  /** After a pause that grows with every failure in a row. */
  failed(key: string): void;
  succeeded(key: string): void;
  later(key: string, delayMs: number): void;
}

function createReturns(add: (key: string) => void, timers: Timers, random: Random): Returns {
  const backOffs = new Map<string, BackOff>();
  const delayed = new Set<string>();
  return {
    failed: (key) => {
      const backOff = backOffs.get(key) ?? createBackOff(keyLimits, random);
      backOffs.set(key, backOff);
      timers.after(backOff.next(), () => add(key));
    },
    succeeded: (key) => void backOffs.delete(key),
    later: (key, delayMs) => {
      if (delayed.has(key)) return;
      delayed.add(key);
      timers.after(delayMs, () => {
        delayed.delete(key);
        add(key);
      });
    },
  };
}
