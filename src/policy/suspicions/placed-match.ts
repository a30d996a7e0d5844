import { foldPath } from '../../canonical/path.ts';
import type { MatchSpec, PathMatch } from '../spec.ts';
import { literalPart } from './match-cover.ts';

/** A rule with its place in the policy. */
export interface PlacedRule<R> {
  readonly rule: R;
  readonly index: number;
}

export interface PlacedMatch<R> extends PlacedRule<R> {
  readonly match: MatchSpec;
}

/** Matches by their paths, so that not all are compared with all. */
export interface MatchIndex<R> {
  /** Those of exactly this path. */
  samePath(path: PathMatch): readonly PlacedMatch<R>[];
  /** Those whose path takes every path that this one takes, ignoring case (S15); the same ones among them. */
  over(path: PathMatch): readonly PlacedMatch<R>[];
}

/** More are not looked at: a warning helps an author and holds nobody up. */
const maxFound = 100;

export function createMatchIndex<R extends { readonly matches: readonly MatchSpec[] }>(
  rules: readonly PlacedRule<R>[],
): MatchIndex<R> {
  const byPath = new Map<string, PlacedMatch<R>[]>();
  for (const placed of rules) {
    for (const match of placed.rule.matches) {
      const key = keyOf(match.path);
      const known = byPath.get(key);
      if (known === undefined) byPath.set(key, [{ ...placed, match }]);
      else if (known.length < maxFound) known.push({ ...placed, match });
    }
  }
  const samePath = (path: PathMatch): readonly PlacedMatch<R>[] =>
    (byPath.get(keyOf(path)) ?? []).filter(({ match }) => match.path.value === path.value);
  const over = (path: PathMatch): readonly PlacedMatch<R>[] => {
    if (byPath.size === 0) return [];
    const found = path.type === 'PathPrefix' ? [] : [...(byPath.get(keyOf(path)) ?? [])];
    for (const value of upward(foldPath(literalPart(path)))) found.push(...(byPath.get(`PathPrefix ${value}`) ?? []));
    return found.slice(0, maxFound);
  };
  return { samePath, over };
}

/** Regular expressions keep their case: in some escapes it says something. */
function keyOf({ type, value }: PathMatch): string {
  return `${type} ${type === 'RegularExpression' ? value : foldPath(value)}`;
}

/** The path and every prefix of it by segment, `/` last. */
function upward(path: string): string[] {
  const prefixes: string[] = [];
  for (let end = path.length; end > 1; end = path.lastIndexOf('/', end - 1)) prefixes.push(path.slice(0, end));
  return [...prefixes, '/'];
}
