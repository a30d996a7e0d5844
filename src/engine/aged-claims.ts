import { isOlder, type AgedClaim } from '../policy/host-age.ts';
import { createSortedList, type SortedList } from '../std/sorted-list.ts';

/** A claim, with the key of the entry whose it is. */
export interface KeyedClaim extends AgedClaim {
  readonly key: string;
}

/** Who claims exactly a pattern, the oldest first: whose a host is must not depend on how many claim it. */
export interface AgedClaims {
  at(pattern: string): readonly KeyedClaim[];
  add(pattern: string, claim: KeyedClaim): void;
  delete(pattern: string, claim: KeyedClaim): void;
}

const none: readonly KeyedClaim[] = [];

export function createAgedClaims(): AgedClaims {
  const lists = new Map<string, SortedList<KeyedClaim>>();
  return {
    at: (pattern) => lists.get(pattern)?.items ?? none,
    add: (pattern, claim) => {
      const list = lists.get(pattern) ?? createSortedList(compareClaims);
      lists.set(pattern, list);
      list.add(claim);
    },
    delete: (pattern, claim) => {
      const list = lists.get(pattern);
      list?.delete(claim);
      if (list?.items.length === 0) lists.delete(pattern);
    },
  };
}

function compareClaims(a: KeyedClaim, b: KeyedClaim): number {
  if (a.key === b.key && a.createdAt === b.createdAt) return 0;
  if (isOlder(a, b)) return -1;
  if (isOlder(b, a)) return 1;
  return a.key < b.key ? -1 : 1;
}
