import type { Clock, Timers } from '../../../src/core/ports.ts';

/** A clock that stands still until the test moves it, and timers on it. */
export interface ManualTime {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Moves on by that many milliseconds; lets what was waiting run at each step. */
  advance(ms: number): Promise<void>;
}

export function createManualTime(start = Date.UTC(2026, 0, 1)): ManualTime {
  let now = 0;
  let due: { readonly at: number; readonly action: () => void }[] = [];
  return {
    clock: { now: () => start + now, monotonic: () => now },
    timers: {
      after: (delayMs, action) => {
        const timer = { at: now + delayMs, action };
        due.push(timer);
        return () => {
          due = due.filter((other) => other !== timer);
        };
      },
    },
    advance: async (ms) => {
      const end = now + ms;
      for (;;) {
        await settle();
        const [next] = due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        due = due.filter((other) => other !== next);
        now = Math.max(now, next.at);
        next.action();
      }
      now = end;
      await settle();
    },
  };
}

/** Lets every promise that is settled run on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
