import { RE2JS, RE2JSException } from 're2js';
import { buildAutomaton, maxAutomatonWork, type Automaton } from './automaton.ts';
import { createBoundedCache } from './bounded-cache.ts';
import { maxPatternCost, patternCost } from './pattern-cost.ts';
import { createSharedByText } from './shared-values.ts';
import { runAtOnce, type Steps } from './steps.ts';

/** A regular expression in RE2's syntax, which must match the whole text. */
export interface RegularExpression {
  readonly kind: 'regular-expression';
  /** What every matching text begins with; may be shorter than it could be, never longer. */
  readonly literalPrefix: string;
  /** A measure of what it takes to compile, and takes in memory (two bytes at most for each): a usual one has some thousands. */
  readonly work: number;
  /** Of a text of printable ASCII without spaces; no other matches. */
  matches(text: string): boolean;
  /** Of any text. */
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

type Compiled = RegularExpression | InvalidRegularExpression;

/** Those that somebody has. */
const inUse = createSharedByText<RegularExpression>();
/** They are the same again wherever a policy is taken in once more. */
const recent = createBoundedCache<Compiled>({ maxEntries: 4096, maxBytes: 8 * 1024 * 1024 });
/** Of an instruction of a program, which is made, read twice and dropped. */
const workOfInstruction = 20;
const bytesOfInvalid = 500;

/** Compiles the pattern; back references, look-around and whatever else RE2 does not know are invalid, and so is what takes too much. */
export function compileRegularExpression(pattern: string): Compiled {
  return runAtOnce(regularExpressionInSteps(pattern));
}

/** The same in steps of some milliseconds; one that somebody has takes none. */
export function* regularExpressionInSteps(pattern: string): Steps<Compiled> {
  const known = inUse.get(pattern) ?? recent.get(pattern);
  if (known !== undefined) return known;
  const { compiled, bytes } = yield* compileAnew(pattern);
  if (compiled.kind === 'regular-expression') inUse.set(pattern, compiled);
  recent.set(pattern, compiled, 2 * pattern.length + bytes);
  return compiled;
}

interface Made {
  readonly compiled: Compiled;
  readonly bytes: number;
}

function* compileAnew(pattern: string): Steps<Made> {
  const cost = patternCost(pattern, true);
  if (cost > maxPatternCost)
    return refuse('its repetitions and classes make it too large: fewer or smaller ones', true, 0);
  const workOfPrograms = 2 * cost * workOfInstruction;
  try {
    const literalPrefix = prefixOf(pattern);
    const exact = yield* automatonOf(RE2JS.compile(pattern), 'printable');
    yield;
    const folded = exact && (yield* automatonOf(RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE), 'any'));
    if (exact === undefined || folded === undefined) {
      const why = 'it can be in too many states at once: fewer repetitions with a number, fewer .* in one expression';
      return refuse(why, true, workOfPrograms + 2 * maxAutomatonWork);
    }
    const work = workOfPrograms + exact.work + folded.work;
    const { matches } = exact;
    const { matches: matchesIgnoringCase } = folded;
    return {
      compiled: { kind: 'regular-expression', literalPrefix, work, matches, matchesIgnoringCase },
      bytes: exact.bytes + folded.bytes,
    };
  } catch (thrown) {
    if (thrown instanceof RE2JSException) return refuse(thrown.message, false, workOfPrograms);
    throw thrown;
  }
}

function refuse(why: string, isTooLarge: boolean, work: number): Made {
  return { compiled: { kind: 'invalid', why, isTooLarge, work }, bytes: bytesOfInvalid };
}

/** A text that is only compared needs no states. */
function* automatonOf(program: RE2JS, texts: 'printable' | 'any'): Steps<Automaton | undefined> {
  const { prefixComplete, prefix } = program.re2Input;
  return prefixComplete && prefix !== null ? compareWith(prefix) : yield* buildAutomaton(program, texts);
}

function compareWith(literal: string): Automaton {
  return { work: literal.length, bytes: 2 * literal.length, matches: (text) => text === literal };
}

/** A leading `^` says nothing where the whole text must match, but ends the prefix that RE2 computes. */
function prefixOf(pattern: string): string {
  try {
    return RE2JS.compile(pattern.replace(/^\^+/, '')).re2Input.prefix ?? '';
  } catch {
    return '';
  }
}
