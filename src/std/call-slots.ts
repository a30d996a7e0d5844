/** Bounds how many calls run at once, and how many wait for that. */
export interface CallSlots {
  /** Resolves with what gives the slot back, to be called once; with undefined where there is none in time, or too many wait already. */
  take(waitMs: number): Promise<(() => void) | undefined>;
  /** Whoever waits gets none. */
  turnAway(): void;
}

export interface CallSlotsOptions {
  readonly timers: { after(delayMs: number, action: () => void): () => void };
  readonly running: number;
  readonly waiting: number;
}

/** The end of a wait: what gives the slot back, where there is one. */
type Leave = (result: (() => void) | undefined) => void;

/** Who waits longest goes first. */
export function createCallSlots({ timers, ...limits }: CallSlotsOptions): CallSlots {
  let running = 0;
  const waiting = new Set<Leave>();
  const release = (): void => {
    const [next] = waiting;
    if (next === undefined) running -= 1;
    else next(release);
  };
  return {
    take(waitMs) {
      if (running < limits.running) {
        running += 1;
        return Promise.resolve(release);
      }
      if (waiting.size >= limits.waiting) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        const leave: Leave = (result) => {
          waiting.delete(leave);
          cancel();
          resolve(result);
        };
        const cancel = timers.after(waitMs, () => leave(undefined));
        waiting.add(leave);
      });
    },
    turnAway() {
      for (const leave of waiting) leave(undefined);
    },
  };
}
