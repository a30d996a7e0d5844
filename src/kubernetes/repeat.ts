import type { Timers } from '../core/ports.ts';

/** A piece of work that is done again and again, one run at a time. */
export interface Repeated {
  /** The next run is no later than that, counted from now or from the end of a run that is under way. */
  within(delayMs: number): void;
  /** No run begins any more; resolves when the one under way has ended. */
  close(): Promise<void>;
}

/** Runs at once; each run says how long to wait for the next, milliseconds, and must not reject. */
export function repeat(timers: Timers, run: () => Promise<number>): Repeated {
  let closed = false;
  let running: Promise<void> | undefined;
  let asked: number | undefined;
  let cancel = (): void => undefined;
  const start = (): void => {
    asked = undefined;
    running = run().then((delayMs) => {
      running = undefined;
      schedule(Math.min(delayMs, asked ?? delayMs));
    });
  };
  function schedule(delayMs: number): void {
    cancel();
    if (!closed) cancel = timers.after(delayMs, start);
  }
  start();
  return {
    within: (delayMs) => {
      // Asked again and again it must not be put off for ever.
      if (asked !== undefined && asked <= delayMs) return;
      asked = delayMs;
      if (running === undefined) schedule(delayMs);
    },
    close: async () => {
      closed = true;
      cancel();
      await running;
    },
  };
}
