import { sha256Base64 } from '../../../std/sha256.ts';

/** Which token a signed answer was given for, as long as it could be taken. */
export interface AnswerUses {
  /**
   * False where the answer was given for another token, or where there are so many that it cannot be known. `signed` is what its signature is
   * over; `now` monotonic milliseconds.
   */
  isFor(signed: string, token: string, now: number): boolean;
}

interface Use {
  readonly token: string;
  readonly until: number;
}

/** Each is kept for `keptMs`. What could still be taken is never forgotten: where there is no room for another, it is refused. */
export function createAnswerUses({
  maxEntries,
  keptMs,
}: {
  readonly maxEntries: number;
  readonly keptMs: number;
}): AnswerUses {
  // By digest, in the order of their end, for all are kept equally long.
  const uses = new Map<string, Use>();
  const dropPast = (now: number): void => {
    for (const [key, { until }] of uses) {
      if (now < until) return;
      uses.delete(key);
    }
  };
  return {
    isFor(signed, token, now) {
      dropPast(now);
      const key = sha256Base64(signed);
      const digest = sha256Base64(token);
      const known = uses.get(key);
      if (known !== undefined) return known.token === digest;
      if (uses.size >= maxEntries) return false;
      uses.set(key, { token: digest, until: now + keptMs });
      return true;
    },
  };
}
