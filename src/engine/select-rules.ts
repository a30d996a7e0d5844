import { methodFit, type Candidate, type MethodFit } from './route-index.ts';

/** What selection needs to know of a rule. */
export interface Selectable {
  /** `Refused`: out of a refused policy; what it asks for is not known (S4). */
  readonly access: 'Public' | 'Authenticated' | 'Restricted' | 'Refused';
}

export type Selection<T> =
  | { readonly kind: 'none' }
  /**
   * `matched`: the rules of the highest rank, which decide. `beside`: higher-ranked rules that would match ignoring case and a trailing
   * slash; they must hold too, and say nothing else.
   */
  | { readonly kind: 'rules'; readonly matched: readonly T[]; readonly beside: readonly T[] };

const none = { kind: 'none' } as const;

/** Chooses among the candidates of the nearest policies, which come highest rank first (S14). */
export function selectRules<T extends Selectable>(candidates: readonly Candidate<T>[], method: string): Selection<T> {
  const beside: T[] = [];
  let start = 0;
  while (start < candidates.length) {
    const end = endOfRank(candidates, start);
    const rank = sortRank(candidates, start, end, method);
    const matched = rank.named.length > 0 ? rank.named : rank.general;
    if (matched.length > 0) {
      // A rule that names the method ranks above one that does not, so its looser reading holds beside the latter.
      if (rank.named.length === 0) beside.push(...rank.looselyNamed);
      return { kind: 'rules', matched: distinct(matched), beside: distinct(beside) };
    }
    if (rank.isMissedRestriction) return none;
    beside.push(...rank.looselyNamed, ...rank.loosely);
    start = end;
  }
  return none;
}

interface Rank<T> {
  readonly named: T[];
  readonly general: T[];
  /** Those that fit only when case and a trailing slash are ignored, and restrict. */
  readonly looselyNamed: T[];
  readonly loosely: T[];
  /** A rule that restricts fits the path and not the method: nothing below it may open what it did not. */
  isMissedRestriction: boolean;
}

function sortRank<T extends Selectable>(
  candidates: readonly Candidate<T>[],
  start: number,
  end: number,
  method: string,
): Rank<T> {
  const rank: Rank<T> = { named: [], general: [], looselyNamed: [], loosely: [], isMissedRestriction: false };
  for (let i = start; i < end; i++) {
    const candidate = candidates[i];
    if (candidate !== undefined) place(rank, candidate, methodFit(candidate.match.methods, method));
  }
  return rank;
}

function place<T extends Selectable>(rank: Rank<T>, { rule, isExact }: Candidate<T>, fit: MethodFit): void {
  const restricts = rule.access !== 'Public';
  if (fit === 'missed') rank.isMissedRestriction ||= restricts;
  else if (isExact) (fit === 'named' ? rank.named : rank.general).push(rule);
  else if (restricts) (fit === 'named' ? rank.looselyNamed : rank.loosely).push(rule);
}

function endOfRank<T>(candidates: readonly Candidate<T>[], start: number): number {
  const rank = candidates[start]?.match.rank;
  let end = start + 1;
  while (end < candidates.length && candidates[end]?.match.rank === rank) end++;
  return end;
}

function distinct<T>(rules: T[]): readonly T[] {
  return rules.length < 2 ? rules : [...new Set(rules)];
}
