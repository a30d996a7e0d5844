import { isMatchedWithoutMention } from '../canonical/method.ts';
import type { PathPattern } from '../policy/path-pattern.ts';
import type { PathMatch } from '../policy/spec.ts';
import { runAtOnce, type Steps } from '../std/steps.ts';
import {
  buildShelf,
  type ExpressionList,
  type IndexedMatch,
  type IndexedRules,
  type MatchList,
  type Shelf,
} from './route-shelf.ts';

/** How a request's method stands to a match: named in its list, covered by a match without list, or missed. */
export type MethodFit = 'named' | 'general' | 'missed';

/** A rule's match that a path fits. */
export interface Candidate<T> {
  readonly rule: T;
  readonly match: IndexedMatch<T>;
  /** False where it fits only when case, escapes and a trailing slash are ignored. */
  readonly isExact: boolean;
}

/** What looking at the matches that a path may fit costs. */
export interface MatchingWork {
  /** How many characters regular expressions would look at. What a long path costs the sender decides. */
  readonly characters: number;
  /** How many matches there are, and headers and parameters that they ask about. What a path costs the authors decide. */
  readonly tests: number;
}

/** Where the matches are that a path may fit. */
export interface Found<T> extends MatchingWork {
  /** Highest rank first. */
  candidates(): readonly Candidate<T>[];
}

/** Finds the matches that fit a path. The cost grows with the depth of the path and with what stands on it, not with the number of rules. */
export interface RouteIndex<T> {
  /** `folded` is `foldPath(path)`. */
  find(path: string, folded: string): Found<T>;
  readonly shelves: readonly Shelf<T>[];
}

export function createRouteIndex<T>(rules: IndexedRules<T>): RouteIndex<T> {
  return runAtOnce(buildRouteIndex([rules]));
}

/** As `createRouteIndex`, one list of rules at a time. */
export function* buildRouteIndex<T>(lists: Iterable<IndexedRules<T>>): Steps<RouteIndex<T>> {
  return indexOfShelves([yield* buildShelf(lists)], true);
}

/**
 * An index that finds what all of them find, in the order in which one of all their rules would. Costs nothing but asking each.
 * `isDisjoint`: no rule is in two of them; else it is found once all the same.
 */
export function joinIndexes<T>(indexes: readonly RouteIndex<T>[], isDisjoint: boolean): RouteIndex<T> {
  const [only, ...others] = indexes;
  if (only !== undefined && others.length === 0) return only;
  return indexOfShelves(
    indexes.flatMap(({ shelves }) => shelves),
    isDisjoint,
  );
}

function indexOfShelves<T>(all: readonly Shelf<T>[], isDisjoint: boolean): RouteIndex<T> {
  const shelves = all.filter(({ exact, prefixes, expressions }) => exact.size + prefixes.size + expressions.size > 0);
  const withExpressions = shelves.filter(({ expressions }) => expressions.size > 0);
  let longestPrefix = 0;
  for (const shelf of shelves) longestPrefix = Math.max(longestPrefix, shelf.longestPrefix);
  return {
    shelves,
    find: (path, folded) => {
      if (shelves.length === 0) return nothing;
      const lists: MatchList<T>[] = [];
      for (const { exact } of shelves) add(lists, exact.get(folded));
      for (let end = Math.min(folded.length, longestPrefix); end > 1; end = folded.lastIndexOf('/', end - 1)) {
        if (end !== folded.length && folded.charCodeAt(end) !== 0x2f) continue;
        const prefix = folded.slice(0, end);
        for (const { prefixes } of shelves) add(lists, prefixes.get(prefix));
      }
      for (const { prefixes } of shelves) add(lists, prefixes.get('/'));
      const expressions = withExpressions.length === 0 ? [] : askedExpressions(withExpressions, folded);
      const { characters, tests } = workOf(lists, expressions, path, folded);
      return {
        characters,
        tests,
        candidates: () => {
          const found = gather(lists, expressions, path, folded);
          const distinct = isDisjoint || found.length < 2 ? found : withoutCopies(found);
          return isSorted(distinct) ? distinct : distinct.sort((a, b) => b.match.rank - a.match.rank);
        },
      };
    },
  };
}

const nothing: Found<never> = { characters: 0, tests: 0, candidates: () => [] };

/** S12: methods are exact; a match without list takes all known ones but CONNECT and TRACE. */
export function methodFit(methods: ReadonlySet<string> | undefined, method: string): MethodFit {
  if (methods === undefined) return isMatchedWithoutMention(method) ? 'general' : 'missed';
  return methods.has(method) ? 'named' : 'missed';
}

/** S15: a Denied rule's GET includes HEAD, and one without list takes every method. */
export function deniesMethod(methods: ReadonlySet<string> | undefined, method: string): boolean {
  return methods === undefined || methods.has(method) || (method === 'HEAD' && methods.has('GET'));
}

function askedExpressions<T>(shelves: readonly Shelf<T>[], folded: string): readonly ExpressionList<T>[] {
  const asked: ExpressionList<T>[] = [];
  const probe = `${folded}/`;
  for (const { expressions, expressionLengths } of shelves) {
    for (const length of expressionLengths) {
      if (length <= probe.length) add(asked, expressions.get(probe.slice(0, length)));
    }
  }
  return asked;
}

function workOf<T>(
  lists: readonly MatchList<T>[],
  asked: readonly ExpressionList<T>[],
  path: string,
  folded: string,
): MatchingWork {
  let tests = 0;
  for (const list of lists) tests += list.tests;
  if (asked.length === 0) return { characters: 0, tests };
  const readings = 1 + spellingsOf(path, folded).size;
  let looks = 0;
  for (const list of asked) {
    tests += list.tests;
    looks += list.expressions.length * readings + 2 * list.unescaped;
  }
  return { characters: looks * (folded.length + 1), tests };
}

function gather<T>(
  lists: readonly MatchList<T>[],
  asked: readonly ExpressionList<T>[],
  path: string,
  folded: string,
): Candidate<T>[] {
  const found: Candidate<T>[] = [];
  for (const { matches } of lists)
    for (const match of matches) found.push({ rule: match.rule, match, isExact: fits(match.spec.path, path) });
  for (const { expressions } of asked) {
    for (const { pattern, match } of expressions) {
      const isExact = pattern.expression.matches(path);
      if (isExact || fitsFolded(pattern, path, folded)) found.push({ rule: match.rule, match, isExact });
    }
  }
  return found;
}

/** A policy that is attached at two places is found at both. */
function withoutCopies<T>(found: readonly Candidate<T>[]): Candidate<T>[] {
  const known = new Map<T, Set<unknown>>();
  return found.filter(({ rule, match: { spec } }) => {
    const specs = known.get(rule);
    if (specs === undefined) known.set(rule, new Set([spec]));
    else if (specs.has(spec)) return false;
    else specs.add(spec);
    return true;
  });
}

/** Of a match that is no regular expression. A PathPrefix is one by segment: `/orders` fits `/orders`, `/orders/` and `/orders/7`, not `/ordersX`. */
function fits({ type, value }: PathMatch, path: string): boolean {
  if (type === 'Exact') return path === value;
  return (
    value === '/' ||
    (path.startsWith(value) && (path.length === value.length || path.charCodeAt(value.length) === 0x2f))
  );
}

/** Whether a path that a regular expression does not match fits it all the same when case, escapes and a trailing slash are ignored. */
function fitsFolded({ expression, unescaped }: PathPattern, path: string, folded: string): boolean {
  if ([...spellingsOf(path, folded)].some((spelling) => expression.matchesIgnoringCase(spelling))) return true;
  return unescaped !== undefined && [folded, `${folded}/`].some((one) => unescaped.matchesIgnoringCase(one));
}

/** The path as a match that ignores case, escapes and a trailing slash looks at it. */
function spellingsOf(path: string, folded: string): ReadonlySet<string> {
  const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  return new Set([path, trimmed, `${trimmed}/`, folded, `${folded}/`]);
}

/** As it is nearly always: longer prefixes are gathered first. */
function isSorted<T>(found: readonly Candidate<T>[]): boolean {
  let before = Infinity;
  for (const { match } of found) {
    if (match.rank > before) return false;
    before = match.rank;
  }
  return true;
}

function add<L>(lists: L[], list: L | undefined): void {
  if (list !== undefined) lists.push(list);
}
