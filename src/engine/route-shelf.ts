import { foldPath } from '../canonical/path.ts';
import { compilePathPattern, type PathPattern } from '../policy/path-pattern.ts';
import type { MatchSpec } from '../policy/spec.ts';
import { compileOnce } from '../std/shared-values.ts';
import type { Steps } from '../std/steps.ts';
import { compileMatchConditions, type MatchConditions } from './match-conditions.ts';

export interface IndexedMatch<T> {
  readonly rule: T;
  /** S14 as a number: Exact above all, then by the length of the literal prefix, a regular expression before an equal PathPrefix. */
  readonly rank: number;
  readonly methods: ReadonlySet<string> | undefined;
  readonly conditions: MatchConditions | undefined;
  /** As the policy says it. */
  readonly spec: MatchSpec;
}

/** Matches that are found at one place. */
export interface MatchList<T> {
  readonly matches: readonly IndexedMatch<T>[];
  /** One for each match, and one for each header and parameter that it asks about. */
  readonly tests: number;
}

/** Regular expressions that begin with the same literal text. */
export interface ExpressionList<T> {
  readonly expressions: readonly IndexedExpression<T>[];
  readonly tests: number;
  /** How many of them have a form without escapes, which is asked too. */
  readonly unescaped: number;
}

export interface IndexedExpression<T> {
  readonly pattern: PathPattern;
  readonly match: IndexedMatch<T>;
}

/** Matches by how they are found, of rules that stand together. */
export interface Shelf<T> {
  /** By the folded path. */
  readonly exact: ReadonlyMap<string, MatchList<T>>;
  readonly prefixes: ReadonlyMap<string, MatchList<T>>;
  readonly longestPrefix: number;
  /** By the folded text that they begin with. */
  readonly expressions: ReadonlyMap<string, ExpressionList<T>>;
  /** Of the keys of `expressions`, each once. */
  readonly expressionLengths: readonly number[];
}

/** Rules with their matches. */
export type IndexedRules<T> = Iterable<{ readonly rule: T; readonly matches: readonly MatchSpec[] }>;

const exactRank = 1_000_000;

const methodSet = compileOnce((methods: readonly string[]): ReadonlySet<string> => new Set(methods));

/** Puts up the matches of these rules, one list of rules at a time. */
export function* buildShelf<T>(lists: Iterable<IndexedRules<T>>): Steps<Shelf<T>> {
  const exact = new Map<string, GrowingList<T>>();
  const prefixes = new Map<string, GrowingList<T>>();
  const expressions = new Map<string, GrowingExpressions<T>>();
  for (const rules of lists) {
    for (const { rule, matches } of rules) {
      for (const spec of matches) {
        const { type, value } = spec.path;
        if (type === 'RegularExpression') addExpression(expressions, rule, spec);
        else addMatch(type === 'Exact' ? exact : prefixes, rule, spec, type === 'Exact' ? exactRank : 2 * value.length);
      }
    }
    yield;
  }
  let longestPrefix = 0;
  for (const prefix of prefixes.keys()) longestPrefix = Math.max(longestPrefix, prefix.length);
  const expressionLengths = [...new Set(Array.from(expressions.keys(), (prefix) => prefix.length))];
  return { exact, prefixes, longestPrefix, expressions, expressionLengths };
}

interface GrowingList<T> {
  readonly matches: IndexedMatch<T>[];
  tests: number;
}

interface GrowingExpressions<T> {
  readonly expressions: IndexedExpression<T>[];
  tests: number;
  unescaped: number;
}

function addMatch<T>(lists: Map<string, GrowingList<T>>, rule: T, spec: MatchSpec, rank: number): void {
  const key = foldPath(spec.path.value);
  const list = lists.get(key) ?? { matches: [], tests: 0 };
  list.matches.push(toMatch(rule, spec, rank));
  list.tests += testsOf(spec);
  lists.set(key, list);
}

function addExpression<T>(lists: Map<string, GrowingExpressions<T>>, rule: T, spec: MatchSpec): void {
  const pattern = checked(spec.path.value);
  const { literalPrefix } = pattern.expression;
  const key = foldedPrefix(literalPrefix);
  const list = lists.get(key) ?? { expressions: [], tests: 0, unescaped: 0 };
  list.expressions.push({ pattern, match: toMatch(rule, spec, 2 * literalPrefix.length + 1) });
  list.tests += testsOf(spec);
  if (pattern.unescaped !== undefined) list.unescaped += 1;
  lists.set(key, list);
}

function toMatch<T>(rule: T, spec: MatchSpec, rank: number): IndexedMatch<T> {
  return {
    rule,
    spec,
    methods: spec.methods && methodSet(spec.methods),
    conditions: compileMatchConditions(spec),
    rank,
  };
}

function testsOf({ headers, queryParams }: MatchSpec): number {
  return 1 + headers.length + queryParams.length;
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
