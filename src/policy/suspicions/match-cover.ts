import { compileRegularExpression } from '../../std/regular-expression.ts';
import type { MatchSpec, PathMatch, ValueMatch } from '../spec.ts';

/** True where every method of `narrow` is one of `wide`, at the same rank: a match that names methods ranks above one that names none (S14). */
export function takesMethodsOf(wide: MatchSpec, narrow: MatchSpec): boolean {
  if (wide.methods === undefined || narrow.methods === undefined) return wide.methods === narrow.methods;
  return narrow.methods.every((method) => wide.methods?.includes(method));
}

/** True where a Denied rule's match takes every method of the other: its GET includes HEAD, and none named are all (S15). */
export function deniesMethodsOf({ methods }: MatchSpec, narrow: MatchSpec): boolean {
  if (methods === undefined) return true;
  const denies = (method: string): boolean =>
    methods.includes(method) || (method === 'HEAD' && methods.includes('GET'));
  return narrow.methods?.every(denies) === true;
}

export function shareMethod(a: MatchSpec, b: MatchSpec): boolean {
  return a.methods === undefined || b.methods === undefined || a.methods.some((method) => b.methods?.includes(method));
}

/** True where every request that has what `narrow` asks of headers and parameters has what `wide` asks. */
export function asksNoMore(wide: MatchSpec, narrow: MatchSpec): boolean {
  return isWithin(wide.headers, narrow.headers) && isWithin(wide.queryParams, narrow.queryParams);
}

function isWithin(few: readonly ValueMatch[], many: readonly ValueMatch[]): boolean {
  return few.every(({ name, value }) => many.some((other) => other.name === name && other.value === value));
}

/** True where `path` lies at or below the prefix. */
export function isBelow(path: string, prefix: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}

/** A path at or below which every path of the match lies: of a regular expression its literal segments. */
export function literalPart({ type, value }: PathMatch): string {
  if (type !== 'RegularExpression') return value;
  const compiled = compileRegularExpression(value);
  const literal = compiled.kind === 'invalid' ? '' : compiled.literalPrefix;
  return literal.slice(0, Math.max(literal.lastIndexOf('/'), 0)) || '/';
}
