import { RE2JS, RE2JSException } from 're2js';
import { maxPatternCost, patternCost } from './pattern-cost.ts';

/** A regular expression in RE2's syntax (linear time), which must match the whole text. */
export interface RegularExpression {
  readonly kind: 'regular-expression';
  /** What every matching text begins with; may be shorter than it could be, never longer. */
  readonly literalPrefix: string;
  matches(text: string): boolean;
  matchesIgnoringCase(text: string): boolean;
}

export interface InvalidRegularExpression {
  readonly kind: 'invalid';
  readonly why: string;
}

/** Compiles the pattern; back references, look-around and whatever else RE2 does not know are invalid. */
export function compileRegularExpression(pattern: string): RegularExpression | InvalidRegularExpression {
  if (patternCost(pattern) > maxPatternCost) return { kind: 'invalid', why: 'its repetitions make it too large' };
  try {
    const exact = RE2JS.compile(pattern);
    const folded = RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
    return {
      kind: 'regular-expression',
      literalPrefix: literalPrefix(pattern),
      matches: (text) => exact.testExact(text),
      matchesIgnoringCase: (text) => folded.testExact(text),
    };
  } catch (thrown) {
    if (thrown instanceof RE2JSException) return { kind: 'invalid', why: thrown.message };
    throw thrown;
  }
}

/** A leading `^` says nothing where the whole text must match, but ends the prefix that RE2 computes. */
function literalPrefix(pattern: string): string {
  try {
    return RE2JS.compile(pattern.replace(/^\^+/, '')).re2Input.prefix ?? '';
  } catch {
    return '';
  }
}
