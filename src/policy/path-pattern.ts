import {
  regularExpressionInSteps,
  type InvalidRegularExpression,
  type RegularExpression,
} from '../std/regular-expression.ts';
import { runAtOnce, type Steps } from '../std/steps.ts';

/** A regular expression of a match on paths. */
export interface PathPattern {
  readonly kind: 'path-pattern';
  readonly expression: RegularExpression;
  /** For folded paths, whose escapes are undone; undefined where it has none. */
  readonly unescaped: RegularExpression | undefined;
  /** Of both. */
  readonly work: number;
}

/** Compiles the pattern with the forms of it that Denied rules look for (S15). */
export function compilePathPattern(pattern: string): PathPattern | InvalidRegularExpression {
  return runAtOnce(pathPatternInSteps(pattern));
}

/** The same in steps of some milliseconds. */
export function* pathPatternInSteps(pattern: string): Steps<PathPattern | InvalidRegularExpression> {
  const expression = yield* regularExpressionInSteps(pattern);
  if (expression.kind === 'invalid') return expression;
  const decoded = decodeEscapes(pattern);
  const unescaped = decoded === pattern ? undefined : yield* regularExpressionInSteps(decoded);
  if (unescaped?.kind === 'invalid' && unescaped.isTooLarge) return unescaped;
  if (unescaped?.kind !== 'regular-expression')
    return { kind: 'path-pattern', expression, unescaped: undefined, work: expression.work };
  return { kind: 'path-pattern', expression, unescaped, work: expression.work + unescaped.work };
}

/** The pattern with its escapes undone, as folding undoes those of a path; what they stand for is taken literally. */
function decodeEscapes(pattern: string): string {
  return pattern.replace(/(?:%[0-9A-F]{2})+/g, (escapes) => {
    try {
      return decodeURIComponent(escapes).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    } catch {
      return escapes;
    }
  });
}
