import { RE2JS, RE2JSException } from 're2js';
import { createBoundedCache } from './bounded-cache.ts';
import { exploreAutomaton, maxAutomatonWork } from './explore-automaton.ts';
import { maxPatternCost, patternCost } from './pattern-cost.ts';

/** A regular expression in RE2's syntax, which must match the whole text. A text of printable ASCII takes some ten nanoseconds a character. */
export interface RegularExpression {
  readonly kind: 'regular-expression';
  /** What every matching text begins with; may be shorter than it could be, never longer. */
  readonly literalPrefix: string;
  /** A measure of what it took to compile, and takes in memory: a usual one has some thousands. */
  readonly work: number;
  matches(text: string): boolean;
  matchesIgnoringCase(text: string): boolean;
}

export interface InvalidRegularExpression {
  readonly kind: 'invalid';
  readonly why: string;
  /** True where it is one of RE2 and would take too much. */
  readonly isTooLarge: boolean;
  /** What it took to find out, as for those that are valid. */
  readonly work: number;
}

/** They are the same again wherever a policy is taken in once more. */
const compiled = createBoundedCache<RegularExpression | InvalidRegularExpression>({
  maxEntries: 4096,
  maxBytes: 64 * 1024 * 1024,
});
/** About, for each unit of work. */
const bytesOfWork = 10;

/** Compiles the pattern; back references, look-around and whatever else RE2 does not know are invalid, and so is what takes too much. */
export function compileRegularExpression(pattern: string): RegularExpression | InvalidRegularExpression {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const made = compileAnew(pattern);
  compiled.set(pattern, made, 2 * pattern.length + (made.kind === 'invalid' ? 100 : made.work * bytesOfWork));
  return made;
}

/** For a thread that reads what people write who have nothing to do with each other. */
export function forgetRegularExpressions(): void {
  compiled.deleteWhere(() => true);
}

function compileAnew(pattern: string): RegularExpression | InvalidRegularExpression {
  if (patternCost(pattern) > maxPatternCost)
    return { kind: 'invalid', why: 'its repetitions make it too large', isTooLarge: true, work: 0 };
  try {
    const exact = RE2JS.compile(pattern);
    const folded = RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
    const work = exploreAutomaton(exact, 'whole');
    const foldedWork = work === undefined ? undefined : exploreAutomaton(folded, 'whole');
    if (work === undefined || foldedWork === undefined) {
      const why = 'it can be in too many states at once: fewer repetitions with a number, fewer .* in one expression';
      return { kind: 'invalid', why, isTooLarge: true, work: 2 * maxAutomatonWork };
    }
    return {
      kind: 'regular-expression',
      literalPrefix: literalPrefix(pattern),
      work: work + foldedWork,
      matches: (text) => exact.testExact(text),
      matchesIgnoringCase: (text) => folded.testExact(text),
    };
  } catch (thrown) {
    if (thrown instanceof RE2JSException) return { kind: 'invalid', why: thrown.message, isTooLarge: false, work: 0 };
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
