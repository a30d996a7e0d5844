import type { Clock, Timers } from '../../../../src/core/ports.ts';

/** Time that goes on when it is told to. */
export interface WorldTime {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Lets timers fire in their order, those of one moment together; `settle` lets what they start come to rest. */
  advance(ms: number, settle: () => Promise<void>): Promise<void>;
  /** The wall clock alone, milliseconds. */
  moveWall(ms: number): void;
}

interface Timer {
  readonly at: number;
  readonly action: () => void;
}

export function createWorldTime(startMs: number): WorldTime {
  let wall = startMs;
  let monotonic = 5_000;
  const waiting = new Set<Timer>();
  const moveTo = (moment: number): void => {
    wall += moment - monotonic;
    monotonic = moment;
  };
  return {
    clock: { now: () => wall, monotonic: () => monotonic },
    timers: {
      after: (delayMs, action) => {
        const timer = { at: monotonic + delayMs, action };
        waiting.add(timer);
        return () => void waiting.delete(timer);
      },
    },
    advance: async (ms, settle) => {
      const end = monotonic + ms;
      for (;;) {
        const next = Math.min(...Array.from(waiting, ({ at }) => at));
        if (next > end) break;
        moveTo(next);
        for (const timer of [...waiting].filter(({ at }) => at <= next)) {
          waiting.delete(timer);
          timer.action();
        }
        await settle();
      }
      moveTo(end);
      await settle();
    },
    moveWall: (ms) => {
      wall += ms;
    },
  };
}
