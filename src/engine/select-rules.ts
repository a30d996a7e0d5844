import type { Denial } from '../core/decision.ts';
import type { Request } from '../core/request.ts';
import type { CandidateFate } from '../core/trace.ts';
import { methodFit, type Candidate, type MethodFit } from './route-index.ts';

/** What selection needs to know of a rule. */
export interface Selectable {
  /** `Refused`: out of a refused policy; what it asks for is not known (S4). */
  readonly access: 'Public' | 'Optional' | 'Authenticated' | 'Restricted' | 'Refused';
}

export type Selection<T> =
  | { readonly kind: 'none' }
  /** A header or parameter that a match names is there twice (S13). */
  | { readonly kind: 'denied'; readonly denial: Denial; readonly rule: T }
  /**
   * `matched`: the rules of the highest rank, which decide. `beside`: higher-ranked rules that would match ignoring case and a trailing
   * slash; they must hold too, and say nothing else.
   */
  | { readonly kind: 'rules'; readonly matched: readonly T[]; readonly beside: readonly T[] };

const none = { kind: 'none' } as const;

/** Told why candidates are chosen or passed over, where somebody listens. */
export interface SelectionTrace<T> {
  candidate(candidate: Candidate<T>, fate: CandidateFate): void;
  /** The rules whose being missed ended the search. */
  ended(by: readonly T[]): void;
}

/** Chooses among the candidates of the nearest policies, which come highest rank first (S14). */
export function selectRules<T extends Selectable>(
  candidates: readonly Candidate<T>[],
  request: Request,
  trace?: SelectionTrace<T>,
): Selection<T> {
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1 && trace === undefined) return selectOnly(only, request);
  const beside: T[] = [];
  const missed = new Set<T>();
  let start = 0;
  while (start < candidates.length) {
    const end = endOfRank(candidates, start);
    const rank = sortRank(candidates, start, end, request, trace);
    if (rank.denied !== undefined) return { kind: 'denied', ...rank.denied };
    const matched = rank.named.length > 0 ? rank.named : rank.general;
    if (matched.length > 0) {
      // A rule that names the method ranks above one that does not, also where a header or parameter is all that it misses.
      if (rank.named.length === 0) for (const rule of rank.namedMissed) missed.add(rule);
      // A rule that one of its matches misses and another one does not is not missed.
      const ending = [...missed].filter((rule) => !matched.includes(rule));
      if (ending.length > 0) {
        trace?.ended(ending);
        return none;
      }
      // A rule that names the method ranks above one that does not, so its looser reading holds beside the latter.
      if (rank.named.length === 0) beside.push(...rank.looselyNamed);
      if (trace !== undefined) candidates.slice(end).forEach((lower) => trace.candidate(lower, 'lower-rank'));
      return { kind: 'rules', matched: distinct(matched), beside: distinct(beside) };
    }
    for (const rule of rank.missed) missed.add(rule);
    beside.push(...rank.looselyNamed, ...rank.loosely);
    start = end;
  }
  return none;
}

/** The same of one candidate, which most paths have. */
function selectOnly<T extends Selectable>({ match, rule, isExact }: Candidate<T>, request: Request): Selection<T> {
  if (methodFit(match.methods, request.method) === 'missed') return none;
  const condition = match.conditions === undefined || match.conditions(request);
  if (typeof condition !== 'boolean') return { kind: 'denied', denial: condition, rule };
  return condition && isExact ? { kind: 'rules', matched: [rule], beside: [] } : none;
}

interface Rank<T> {
  readonly named: T[];
  readonly general: T[];
  /** Those that fit only when case and a trailing slash are ignored, and restrict. */
  readonly looselyNamed: T[];
  readonly loosely: T[];
  /** Rules that restrict, whose path fits and whose method, headers or parameters do not: nothing below them may open what they did not. */
  readonly missed: T[];
  /** Those of them that name the method. */
  readonly namedMissed: T[];
  denied: { readonly denial: Denial; readonly rule: T } | undefined;
}

function sortRank<T extends Selectable>(
  candidates: readonly Candidate<T>[],
  start: number,
  end: number,
  request: Request,
  trace: SelectionTrace<T> | undefined,
): Rank<T> {
  const rank: Rank<T> = {
    named: [],
    general: [],
    looselyNamed: [],
    loosely: [],
    missed: [],
    namedMissed: [],
    denied: undefined,
  };
  for (let i = start; i < end; i++) {
    const candidate = candidates[i];
    if (candidate === undefined) continue;
    const { match, rule } = candidate;
    const fit = methodFit(match.methods, request.method);
    const condition = fit === 'missed' || match.conditions === undefined ? true : match.conditions(request);
    if (typeof condition === 'boolean') place(rank, candidate, condition ? fit : 'missed');
    else rank.denied ??= { denial: condition, rule };
    if (condition === false && fit === 'named' && isRestricting(rule)) rank.namedMissed.push(rule);
    trace?.candidate(candidate, fateOf(candidate, fit, condition));
  }
  return rank;
}

function fateOf({ isExact }: Candidate<unknown>, fit: MethodFit, condition: boolean | Denial): CandidateFate {
  if (typeof condition !== 'boolean') return 'ambiguous';
  if (fit === 'missed') return 'method';
  if (!condition) return 'header-or-query';
  return isExact ? fit : 'loose';
}

function isRestricting({ access }: Selectable): boolean {
  return access !== 'Public' && access !== 'Optional';
}

function place<T extends Selectable>(rank: Rank<T>, { rule, isExact }: Candidate<T>, fit: MethodFit): void {
  const restricts = isRestricting(rule);
  if (fit === 'missed') {
    if (restricts) rank.missed.push(rule);
  } else if (isExact) (fit === 'named' ? rank.named : rank.general).push(rule);
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
