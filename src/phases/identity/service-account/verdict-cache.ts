import type { Clock } from '../../../core/ports.ts';
import { createBoundedCache } from '../../../std/bounded-cache.ts';
import { deadlineIn, isOver, type Deadline } from '../../../std/deadline.ts';
import type { VerifyResult } from '../identity-provider.ts';

/** What the API server said lately, by the digest of the token. */
export interface VerdictCache {
  get(key: string): VerifyResult | undefined;
  /** A verdict that is good for nothing any more is not kept. Milliseconds. */
  set(key: string, verdict: VerifyResult, ttlMs: number): void;
}

interface Entry {
  readonly verdict: VerifyResult;
  readonly until: Deadline;
}

/** Refused tokens, which anybody can make up, take no room from good ones. */
export function createVerdictCache(clock: Clock): VerdictCache {
  const good = createBoundedCache<Entry>({ maxEntries: 10_000, maxBytes: 16 * 1024 * 1024 });
  const bad = createBoundedCache<Entry>({ maxEntries: 2000, maxBytes: 1024 * 1024 });
  return {
    get: (key) => {
      const entry = good.get(key) ?? bad.get(key);
      if (entry === undefined) return undefined;
      if (!isOver(entry.until, clock)) return entry.verdict;
      good.delete(key);
      bad.delete(key);
      return undefined;
    },
    set: (key, verdict, ttlMs) => {
      if (ttlMs <= 0) return;
      const entry = { verdict, until: deadlineIn(ttlMs, clock) };
      if ('denial' in verdict) bad.set(key, entry, badSize);
      else good.set(key, entry, sizeOf(verdict));
    },
  };
}

/** Bytes, about. */
const badSize = 300;

function sizeOf(verdict: Extract<VerifyResult, { identity: unknown }>): number {
  return 600 + JSON.stringify(verdict.identity.claims).length * 4;
}
