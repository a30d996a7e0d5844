/** How long to wait after failures: doubled with each up to a limit, with half of it at random so that replicas do not come back in step. */
export interface BackOff {
  /** Counts one more failure; milliseconds to wait before the next try. `askedMs`: what the server asks for at least. */
  next(askedMs?: number): number;
  reset(): void;
}

/** Uniform in [0, 1). */
export interface Chance {
  fraction(): number;
}

export interface BackOffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

export function createBackOff({ firstMs, maxMs }: BackOffLimits, random: Chance): BackOff {
  let failures = 0;
  return {
    next: (askedMs = 0) => {
      const whole = Math.min(maxMs, firstMs * 2 ** Math.min(failures, 30));
      failures++;
      // A server that is badly configured must not park us for hours.
      return Math.max(whole * (0.5 + random.fraction() / 2), Math.min(askedMs, 60_000));
    },
    reset: () => {
      failures = 0;
    },
  };
}
