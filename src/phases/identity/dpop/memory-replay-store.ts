import { Failure } from '../../../core/failure.ts';
import type { Clock, ReplayStore } from '../../../core/ports.ts';
import { createExpiringSet } from '../../../std/expiring-set.ts';

/** Smaller differences are those of the two clocks, which nobody set. */
const toleranceMs = 1_000;
/** What was used before the clock was set back is kept for so much longer at most: a clock that was years ahead must not fill the store for years. */
const longestHoldMs = 3_600_000;

/**
 * Remembers within this process alone, and for longer where the wall clock is set back: what was too old before may be accepted then. Where
 * `maxEntries` are remembered and none of them has ended it throws a Failure `store_unavailable`: to forget one would let it be used a second time.
 */
export function createMemoryReplayStore(maxEntries: number, clock: Clock): ReplayStore {
  const known = createExpiringSet(maxEntries);
  const now = createHeldClock(clock);
  return {
    remember(key, ttlMs) {
      const added = known.add(key, ttlMs, now());
      if (added === 'full') throw new Failure('store_unavailable', `more than ${maxEntries} proofs are remembered`);
      return added === 'added';
    },
  };
}

/** The monotonic clock, milliseconds, which goes back by what the wall clock is set back; setting that forward again changes nothing. */
function createHeldClock(clock: Clock): () => number {
  let ahead = clock.now() - clock.monotonic();
  let held = 0;
  return () => {
    const monotonic = clock.monotonic();
    const current = clock.now() - monotonic;
    const back = ahead - current;
    if (back > toleranceMs) held += Math.min(back, longestHoldMs);
    if (back > toleranceMs || back < 0) ahead = current;
    return monotonic - held;
  };
}
