import type { Timers } from '../core/ports.ts';

/** Resolves with the promise, or when the time is over. */
export function inTime(promise: Promise<void>, timeoutMs: number, timers: Timers): Promise<void> {
  return new Promise((resolve) => {
    const cancel = timers.after(timeoutMs, resolve);
    void promise.then(() => {
      cancel();
      resolve();
    });
  });
}
