import type { Clock } from '../core/ports.ts';

/** Lets a number of things happen at once and then one from time to time. */
export interface TokenBucket {
  /** 0 where it may happen now, and it is counted; else how long to wait before asking again, milliseconds. */
  take(): number;
}

export interface TokenBucketLimits {
  readonly burst: number;
  /** After how long one more may happen. */
  readonly refillMs: number;
}

/** Full at the start. */
export function createTokenBucket({ burst, refillMs }: TokenBucketLimits, clock: Clock): TokenBucket {
  let tokens = burst;
  let since = clock.monotonic();
  return {
    take: () => {
      const now = clock.monotonic();
      const more = Math.floor((now - since) / refillMs);
      tokens = Math.min(burst, tokens + more);
      since = tokens === burst ? now : since + more * refillMs;
      if (tokens === 0) return since + refillMs - now;
      tokens--;
      return 0;
    },
  };
}
