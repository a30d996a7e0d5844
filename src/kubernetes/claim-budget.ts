import type { MaterialRef } from '../policy/spec.ts';
import { createSortedList, type SortedList } from '../std/sorted-list.ts';

/** Who refers to something. */
export interface Claim {
  readonly key: string;
  readonly ref: MaterialRef;
  readonly source: string;
  /** Of the document, milliseconds since the epoch. */
  readonly createdAt: number;
  /** A shadow changes no answer, so it takes nobody's place; and what is gone is behind everybody who is there. */
  readonly standing: 'enforced' | 'shadow' | 'gone';
}

/**
 * The things of one kind and namespace that documents refer to, those of the oldest documents first: which are followed is the same on every
 * replica, whatever it heard of first. What a change costs does not depend on how many there are.
 */
export interface ClaimBudget {
  add(claim: Claim): void;
  delete(claim: Claim): void;
  /** Of each thing its first claim, as many as are followed. */
  followed(): readonly Claim[];
  /** True where it is referred to, and is not among those that are followed. */
  isLeftOut(key: string): boolean;
  /** The first claim of the first thing that is left out. */
  firstLeftOut(): Claim | undefined;
}

export function createClaimBudget(max: number): ClaimBudget {
  const byKey = new Map<string, SortedList<Claim>>();
  const firsts = createSortedList<Claim>(compareFirsts);
  /** The claims of one thing are others: its place may be another. */
  const change = (key: string, work: (claims: SortedList<Claim>) => void): void => {
    const claims = byKey.get(key) ?? createSortedList<Claim>(compareClaims);
    const [before] = claims.items;
    work(claims);
    const [after] = claims.items;
    if (after === undefined) byKey.delete(key);
    else byKey.set(key, claims);
    if (before === after) return;
    if (before !== undefined) firsts.delete(before);
    if (after !== undefined) firsts.add(after);
  };
  return {
    add: (claim) => change(claim.key, (claims) => claims.add(claim)),
    delete: (claim) => change(claim.key, (claims) => claims.delete(claim)),
    followed: () => firsts.items.slice(0, max),
    isLeftOut: (key) => {
      const first = byKey.get(key)?.items[0];
      return first !== undefined && firsts.rank(first) >= max;
    },
    firstLeftOut: () => firsts.items[max],
  };
}

const standings = { enforced: 0, shadow: 1, gone: 2 } as const;

/** Whether nothing is lost where the one stands for the other. */
export function isAsStrong(claim: Claim | undefined, other: Claim): boolean {
  return claim !== undefined && standings[claim.standing] <= standings[other.standing];
}

function compareClaims(a: Claim, b: Claim): number {
  if (a.standing !== b.standing) return standings[a.standing] - standings[b.standing];
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.source === b.source ? 0 : a.source < b.source ? -1 : 1;
}

function compareFirsts(a: Claim, b: Claim): number {
  return compareClaims(a, b) || (a.key === b.key ? 0 : a.key < b.key ? -1 : 1);
}
