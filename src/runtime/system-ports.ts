import { availableParallelism } from 'node:os';
import type { Clock, Random, Timers } from '../core/ports.ts';

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** Node's timers; none keeps the process alive. Delays beyond 24 days are cut to that. */
export const systemTimers: Timers = {
  after(delayMs, action) {
    const timer = setTimeout(action, Math.min(Math.max(delayMs, 0), 2_147_483_647));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves once everybody else who waits had a turn: what arrived on a connection, timers that are due. */
export const systemPause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Random UUIDs (122 bits from the system's generator) and Math.random. */
export const systemRandom: Random = {
  id: () => crypto.randomUUID(),
  fraction: () => Math.random(),
};

/** How many threads may compute hashes of passwords: two, and one where requests have only one core or two. */
export function passwordThreadCount(): number {
  return availableParallelism() > 2 ? 2 : 1;
}
