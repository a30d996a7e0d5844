import { ownCopy } from './own-copy.ts';

/** Texts that are remembered for a while each, within a bound: what does not fit is refused, and nothing is forgotten before its time. */
export interface ExpiringSet {
  /** `known` where the key is there; `full` where it is not and cannot be kept. `now` and `ttl` in one unit. */
  add(key: string, ttl: number, now: number): 'added' | 'known' | 'full';
  readonly size: number;
}

/** How many of the oldest are looked at whenever one is added, so that the past goes about as fast as the present comes. */
const looksPerAddition = 4;

/** A full set is looked through as a whole at most once in this many additions that it refuses. */
const refusalsPerSweep = 1000;

export function createExpiringSet(maxEntries: number): ExpiringSet {
  // In the order of their coming, which is about that of their going.
  const expiries = new Map<string, number>();
  let refusals = 0;
  const dropPast = (now: number, looks: number): void => {
    for (const [key, expiry] of expiries) {
      if (looks-- <= 0) return;
      if (expiry <= now) expiries.delete(key);
    }
  };
  return {
    add(key, ttl, now) {
      if ((expiries.get(key) ?? now) > now) return 'known';
      expiries.delete(key);
      dropPast(now, looksPerAddition);
      if (expiries.size >= maxEntries) {
        if (refusals++ % refusalsPerSweep === 0) dropPast(now, Infinity);
        if (expiries.size >= maxEntries) return 'full';
      }
      expiries.set(ownCopy(key), now + ttl);
      return 'added';
    },
    get size() {
      return expiries.size;
    },
  };
}
