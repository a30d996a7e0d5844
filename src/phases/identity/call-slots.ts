import type { Timers } from '../../core/ports.ts';

/** Bounds how many calls run at once, and how many wait for that. */
export interface CallSlots {
  /** Resolves with what gives the slot back, to be called once; with undefined where there is none in time, or too many wait already. */
  take(waitMs: number): Promise<(() => void) | undefined>;
}

export interface CallSlotsOptions {
  readonly timers: Timers;
  readonly running: number;
  readonly waiting: number;
}

/** Who waits longest goes first. */
export function createCallSlots({ timers, ...limits }: CallSlotsOptions): CallSlots {
  let running = 0;
  const waiting = new Set<() => void>();
  const release = (): void => {
    const [next] = waiting;
    if (next === undefined) running -= 1;
    else next();
  };
  return {
    take(waitMs) {
      if (running < limits.running) {
        running += 1;
        return Promise.resolve(release);
      }
      if (waiting.size >= limits.waiting) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        const leave = (result: (() => void) | undefined): void => {
          waiting.delete(go);
          cancel();
          resolve(result);
        };
        const go = (): void => leave(release);
        const cancel = timers.after(waitMs, () => leave(undefined));
        waiting.add(go);
      });
    },
  };
}
