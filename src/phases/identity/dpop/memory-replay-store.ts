import { Failure } from '../../../core/failure.ts';
import type { Clock, ReplayStore } from '../../../core/ports.ts';
import { createExpiringSet } from '../../../std/expiring-set.ts';

/**
 * Remembers within this process alone. Where `maxEntries` are remembered and none of them has ended it throws a Failure `store_unavailable`:
 * to forget one would let it be used a second time.
 */
export function createMemoryReplayStore(maxEntries: number, clock: Clock): ReplayStore {
  const known = createExpiringSet(maxEntries);
  return {
    remember(key, ttlMs) {
      const added = known.add(key, ttlMs, clock.monotonic());
      if (added === 'full') throw new Failure('store_unavailable', `more than ${maxEntries} proofs are remembered`);
      return added === 'added';
    },
  };
}
