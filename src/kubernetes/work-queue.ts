import type { Clock, Random, Timers } from '../core/ports.ts';
import { createBackOff, type BackOff } from '../std/back-off.ts';

/** Keys that want work, each at most once at a time. */
export interface WorkQueue {
  /** One that waits, after a failure or because its work asked for it, is worked on when it has waited, and not before. */
  add(key: string): void;
  /** As `add`, and at once: the work is another one than that which failed. */
  addAnew(key: string): void;
  /** Nobody asks for it any more. */
  forget(key: string): void;
  close(): Promise<void>;
}

/** What became of the work for a key. Done: its failures are forgotten. Later: once more after some milliseconds, and no failure is forgotten. */
export type WorkOutcome = { readonly kind: 'done' } | { readonly kind: 'later'; readonly delayMs: number };

export interface WorkQueueOptions {
  /** Does the work for the key. A rejection puts it back with a growing pause. */
  readonly work: (key: string) => Promise<WorkOutcome>;
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
  /** Those that were asked for while they are worked on, and whether the work is another one then. */
  const again = new Map<string, boolean>();
  const returns = createReturns(take, timers, random);
  const rest = createBackOff(restLimits, random);
  const turns = createTurns(next, clock, timers);
  let closed = false;
  const run = async (key: string): Promise<void> => {
    try {
      const outcome = await work(key);
      if (outcome.kind === 'later') returns.later(key, outcome.delayMs);
      else returns.forget(key);
      rest.reset();
    } catch (thrown) {
      returns.failed(key);
      if (isForAll(thrown)) turns.pause(rest.next());
    }
    active.delete(key);
    const isAnew = again.get(key);
    again.delete(key);
    if (isAnew !== undefined) ask(key, isAnew);
    next();
  };
  function next(): void {
    for (const key of waiting) {
      if (closed || active.size >= width || !turns.isOurs()) return;
      waiting.delete(key);
      active.set(key, run(key));
    }
  }
  /** Unless it waits for its time. */
  function take(key: string): void {
    if (closed || returns.isAwaited(key)) return;
    waiting.add(key);
    next();
  }
  function ask(key: string, isAnew: boolean): void {
    if (active.has(key)) return void again.set(key, isAnew || again.get(key) === true);
    if (isAnew) returns.forget(key);
    take(key);
  }
  return {
    add: (key) => ask(key, false),
    addAnew: (key) => ask(key, true),
    forget: (key) => {
      waiting.delete(key);
      again.delete(key);
      returns.forget(key);
    },
    close: async () => {
      closed = true;
      returns.close();
      await Promise.all(active.values());
    },
  };
}

/** When the queue may go on. */
interface Turns {
  /** False while it pauses. Work that ends at once would otherwise be done for all keys in one go, and hold up requests. */
  isOurs(): boolean;
  pause(delayMs: number): void;
}

function createTurns(goOn: () => void, clock: Clock, timers: Timers): Turns {
  let sliceEnd = 0;
  let isPausing = false;
  const pause = (delayMs: number): void => {
    if (isPausing) return;
    isPausing = true;
    timers.after(delayMs, () => {
      isPausing = false;
      sliceEnd = clock.monotonic() + sliceMs;
      goOn();
    });
  };
  return {
    pause,
    isOurs: () => {
      if (!isPausing && clock.monotonic() >= sliceEnd) pause(0);
      return !isPausing;
    },
  };
}

/** Brings keys back after a while, each with one timer. */
interface Returns {
  /** After a pause that grows with every failure in a row. */
  failed(key: string): void;
  later(key: string, delayMs: number): void;
  isAwaited(key: string): boolean;
  /** Its failures, and that it is to come back. */
  forget(key: string): void;
  close(): void;
}

function createReturns(bring: (key: string) => void, timers: Timers, random: Random): Returns {
  const backOffs = new Map<string, BackOff>();
  const awaited = new Map<string, () => void>();
  let isClosed = false;
  const stopWaiting = (key: string): void => {
    awaited.get(key)?.();
    awaited.delete(key);
  };
  const later = (key: string, delayMs: number): void => {
    stopWaiting(key);
    if (isClosed) return;
    const cancel = timers.after(delayMs, () => {
      awaited.delete(key);
      bring(key);
    });
    awaited.set(key, cancel);
  };
  return {
    later,
    failed: (key) => {
      const backOff = backOffs.get(key) ?? createBackOff(keyLimits, random);
      backOffs.set(key, backOff);
      later(key, backOff.next());
    },
    isAwaited: (key) => awaited.has(key),
    forget: (key) => {
      stopWaiting(key);
      backOffs.delete(key);
    },
    close: () => {
      isClosed = true;
      for (const key of awaited.keys()) stopWaiting(key);
    },
  };
}
