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
  /** Of a Secret or ConfigMap, the keys of its data that anybody asks for. */
  asked(key: string): Iterable<string>;
  /** True where it is referred to, and is not among those that are followed. */
  isLeftOut(key: string): boolean;
  /** The first claim of the first thing that is left out. */
  firstLeftOut(): Claim | undefined;
}

/** All that is claimed of one thing. */
interface Claimed {
  readonly claims: SortedList<Claim>;
  /** How many ask for each key of its data. */
  readonly asked: Map<string, number>;
}

export function createClaimBudget(max: number): ClaimBudget {
  const byKey = new Map<string, Claimed>();
  const firsts = createSortedList<Claim>(compareFirsts);
  /** The claims of one thing are others: its place may be another. */
  const change = ({ key, ref }: Claim, work: (claims: SortedList<Claim>) => void, by: 1 | -1): void => {
    const claimed = byKey.get(key) ?? { claims: createSortedList<Claim>(compareClaims), asked: new Map() };
    const { claims, asked } = claimed;
    const [before] = claims.items;
    const count = claims.items.length;
    work(claims);
    const [after] = claims.items;
    if (claims.items.length !== count) ask(asked, ref, by);
    if (after === undefined) byKey.delete(key);
    else byKey.set(key, claimed);
    if (before === after) return;
    if (before !== undefined) firsts.delete(before);
    if (after !== undefined) firsts.add(after);
  };
  return {
    add: (claim) => change(claim, (claims) => claims.add(claim), 1),
    delete: (claim) => change(claim, (claims) => claims.delete(claim), -1),
    followed: () => firsts.items.slice(0, max),
    asked: (key) => byKey.get(key)?.asked.keys() ?? [],
    isLeftOut: (key) => {
      const first = byKey.get(key)?.claims.items[0];
      return first !== undefined && firsts.rank(first) >= max;
    },
    firstLeftOut: () => firsts.items[max],
  };
}

function ask(asked: Map<string, number>, ref: MaterialRef, by: 1 | -1): void {
  if (!('name' in ref)) return;
  for (const key of ref.keys ?? []) {
    const count = (asked.get(key) ?? 0) + by;
    if (count === 0) asked.delete(key);
    else asked.set(key, count);
  }
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
