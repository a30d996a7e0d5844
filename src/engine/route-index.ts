import { foldPath } from '../canonical/path.ts';
import { isMatchedWithoutMention } from '../canonical/method.ts';
import type { MatchSpec, PathMatch } from '../policy/spec.ts';
import { compileOnce } from '../std/shared-values.ts';
import { runAtOnce, type Steps } from '../std/steps.ts';
import { compilePathPattern, type PathPattern } from '../policy/path-pattern.ts';
import { compileMatchConditions, type MatchConditions } from './match-conditions.ts';

/** How a request's method stands to a match: named in its list, covered by a match without list, or missed. */
export type MethodFit = 'named' | 'general' | 'missed';

/** A rule's match that a path fits. */
export interface Candidate<T> {
  readonly rule: T;
  readonly match: IndexedMatch<T>;
  /** False where it fits only when case, escapes and a trailing slash are ignored. */
  readonly isExact: boolean;
}

export interface IndexedMatch<T> {
  readonly rule: T;
  /** S14 as a number: Exact above all, then by the length of the literal prefix, a regular expression before an equal PathPrefix. */
  readonly rank: number;
  readonly methods: ReadonlySet<string> | undefined;
  readonly conditions: MatchConditions | undefined;
  /** As the policy says it. */
  readonly spec: MatchSpec;
}

/** Finds the matches that fit a path. The cost grows with the depth of the path, not with the number of rules. */
export interface RouteIndex<T> {
  /** Highest rank first. `folded` is `foldPath(path)`. */
  candidates(path: string, folded: string): readonly Candidate<T>[];
  /** How many characters regular expressions would look at for the path. What a long path costs the sender decides. */
  charactersToMatch(path: string, folded: string): number;
}

const exactRank = 1_000_000;

const methodSet = compileOnce((methods: readonly string[]): ReadonlySet<string> => new Set(methods));

/** Rules with their matches. */
type IndexedRules<T> = Iterable<{ readonly rule: T; readonly matches: readonly MatchSpec[] }>;

export function createRouteIndex<T>(rules: IndexedRules<T>): RouteIndex<T> {
  return runAtOnce(buildRouteIndex([rules]));
}

/** As `createRouteIndex`, one list of rules at a time. */
export function* buildRouteIndex<T>(lists: Iterable<IndexedRules<T>>): Steps<RouteIndex<T>> {
  const gathered = gatherMatches<T>();
  for (const rules of lists) {
    for (const { rule, matches } of rules) for (const spec of matches) gathered.add(rule, spec);
    yield;
  }
  return toRouteIndex(gathered);
}

interface IndexedExpression<T> {
  readonly foldedPrefix: string;
  readonly pattern: PathPattern;
  readonly match: IndexedMatch<T>;
}

/** Matches by how they are found. */
interface GatheredMatches<T> {
  readonly exact: ReadonlyMap<string, readonly IndexedMatch<T>[]>;
  readonly prefixes: ReadonlyMap<string, readonly IndexedMatch<T>[]>;
  readonly expressions: readonly IndexedExpression<T>[];
  add(rule: T, spec: MatchSpec): void;
}

function gatherMatches<T>(): GatheredMatches<T> {
  const exact = new Map<string, IndexedMatch<T>[]>();
  const prefixes = new Map<string, IndexedMatch<T>[]>();
  const expressions: IndexedExpression<T>[] = [];
  return {
    exact,
    prefixes,
    expressions,
    add: (rule, spec) => {
      const methods = spec.methods && methodSet(spec.methods);
      const conditions = compileMatchConditions(spec);
      const { type, value } = spec.path;
      if (type === 'RegularExpression') {
        const pattern = checked(value);
        const { literalPrefix } = pattern.expression;
        const match = { rule, spec, methods, conditions, rank: 2 * literalPrefix.length + 1 };
        expressions.push({ foldedPrefix: foldedPrefix(literalPrefix), pattern, match });
        return;
      }
      const rank = type === 'Exact' ? exactRank : 2 * value.length;
      append(type === 'Exact' ? exact : prefixes, foldPath(value), { rule, spec, methods, conditions, rank });
    },
  };
}

function toRouteIndex<T>({ exact, prefixes, expressions }: GatheredMatches<T>): RouteIndex<T> {
  let longestPrefix = 0;
  for (const prefix of prefixes.keys()) longestPrefix = Math.max(longestPrefix, prefix.length);
  return {
    charactersToMatch: (path, folded) => {
      if (expressions.length === 0) return 0;
      const probe = `${folded}/`;
      const readings = 1 + spellingsOf(path, folded).size;
      const asked = expressions.filter((one) => probe.startsWith(one.foldedPrefix));
      return asked.reduce(
        (sum, one) => sum + (readings + (one.pattern.unescaped === undefined ? 0 : 2)) * probe.length,
        0,
      );
    },
    candidates: (path, folded) => {
      const found: Candidate<T>[] = [];
      gather(found, exact.get(folded), path);
      for (let end = Math.min(folded.length, longestPrefix); end > 1; end = folded.lastIndexOf('/', end - 1)) {
        if (end === folded.length || folded.charCodeAt(end) === 0x2f)
          gather(found, prefixes.get(folded.slice(0, end)), path);
      }
      gather(found, prefixes.get('/'), path);
      const probe = expressions.length === 0 ? '' : `${folded}/`;
      for (const { foldedPrefix: prefix, pattern, match } of expressions) {
        if (!probe.startsWith(prefix)) continue;
        const isExact = pattern.expression.matches(path);
        if (isExact || fitsFolded(pattern, path, folded)) found.push({ rule: match.rule, match, isExact });
      }
      return isSorted(found) ? found : found.sort((a, b) => b.match.rank - a.match.rank);
    },
  };
}

/** S12: methods are exact; a match without list takes all known ones but CONNECT and TRACE. */
export function methodFit(methods: ReadonlySet<string> | undefined, method: string): MethodFit {
  if (methods === undefined) return isMatchedWithoutMention(method) ? 'general' : 'missed';
  return methods.has(method) ? 'named' : 'missed';
}

/** S15: a Denied rule's GET includes HEAD, and one without list takes every method. */
export function deniesMethod(methods: ReadonlySet<string> | undefined, method: string): boolean {
  return methods === undefined || methods.has(method) || (method === 'HEAD' && methods.has('GET'));
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

/** The part of a literal prefix that every folded path of a match begins with: nothing that folding could change in length. */
function foldedPrefix(prefix: string): string {
  return (/^[\x21-\x24\x26-\x3a\x3c-\x7e]*/.exec(prefix)?.[0] ?? '').toLowerCase();
}

function checked(pattern: string): PathPattern {
  const compiled = compilePathPattern(pattern);
  if (compiled.kind === 'invalid') throw new TypeError(`unchecked regular expression: ${compiled.why}`);
  return compiled;
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

function append<T>(map: Map<string, IndexedMatch<T>[]>, key: string, match: IndexedMatch<T>): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [match]);
  else known.push(match);
}

function gather<T>(found: Candidate<T>[], matches: readonly IndexedMatch<T>[] | undefined, path: string): void {
  if (matches === undefined) return;
  for (const match of matches) found.push({ rule: match.rule, match, isExact: fits(match.spec.path, path) });
}
