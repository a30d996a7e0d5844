import {
  compileRegularExpression,
  type InvalidRegularExpression,
  type RegularExpression,
} from '../std/regular-expression.ts';

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
  const expression = compileRegularExpression(pattern);
  if (expression.kind === 'invalid') return expression;
  const decoded = decodeEscapes(pattern);
  const unescaped = decoded === pattern ? undefined : compileRegularExpression(decoded);
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

/** What is left for the regular expressions of one policy. */
export interface PatternBudget {
  /** Takes the work of one; false where there is not enough left. */
  spend(work: number): boolean;
  /** False once there was not enough: then none needs to be compiled any more. */
  readonly isLeft: boolean;
}

/** Some 40 ms to compile all of them, and 10 MB. Hundreds of usual ones. */
const workOfPolicy = 1_000_000;

export function createPatternBudget(): PatternBudget {
  let left = workOfPolicy;
  return {
    spend: (work) => (left -= work) >= 0,
    get isLeft() {
      return left > 0;
    },
  };
}
