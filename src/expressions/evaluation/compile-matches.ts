import { patternCost } from '../../std/pattern-cost.ts';
import { compilePattern, type Pattern } from '../../std/pattern.ts';
import type { Tree } from '../language/tree.ts';
import { limits } from '../limits.ts';
import { Fault } from '../values/fault.ts';
import { spend, type Meter } from '../values/meter.ts';
import type { Value } from '../values/value.ts';
import type { Compilation, Evaluate, Locals } from './frame.ts';
import { spendPattern } from './used-pattern.ts';

const notText = new Fault('value', 'matches() takes texts');
const badPattern = new Fault('value', 'the regular expression is none of RE2, or longer than it may be');

/** What the compilation of a pattern may cost at run time, in units of work for each of its instructions. */
const unitsForInstruction = 40;

/** `text.matches(pattern)`: RE2, true where a part of the text matches. A literal pattern is compiled, and refused, when it is read. */
export function compileMatches(text: Tree, pattern: Tree, locals: Locals, compilation: Compilation): Evaluate {
  const evaluateText = compilation.compile(text, locals);
  if (pattern.op === 'literal' && typeof pattern.value === 'string') {
    const why = usePattern(pattern.value, pattern.at, compilation);
    if (why !== undefined) return compilation.refuse(pattern.at, why);
    const compiled = compilePattern(pattern.value);
    if (compiled.kind === 'invalid') return compilation.refuse(pattern.at, `the regular expression: ${compiled.why}`);
    return (frame) => {
      const value = evaluateText(frame);
      return value instanceof Fault ? value : search(value, compiled, frame);
    };
  }
  const evaluatePattern = compilation.compile(pattern, locals);
  return (frame) => {
    const value = evaluateText(frame);
    if (value instanceof Fault) return value;
    const source = evaluatePattern(frame);
    if (source instanceof Fault) return source;
    if (typeof source !== 'string') return notText;
    const compiled = compileAtRunTime(source, frame);
    return compiled instanceof Fault ? compiled : search(value, compiled, frame);
  };
}

/** Says why it may not be compiled. */
function usePattern(source: string, at: number, { patterns, budget }: Compilation): string | undefined {
  if (patterns.some((one) => one.source === source)) return undefined;
  const pattern = { source, cost: patternCost(source), at };
  patterns.push(pattern);
  const together = patterns.reduce((sum, { cost }) => sum + cost, 0);
  if (together > limits.patternCost)
    return 'the regular expressions are too large once their repetitions are written out and their classes of Unicode counted: fewer or smaller ones';
  return spendPattern(pattern, budget);
}

function compileAtRunTime(source: string, meter: Meter): Pattern | Fault {
  if (source.length > limits.dynamicPatternLength) return badPattern;
  const over = spend(meter, (5 + patternCost(source)) * unitsForInstruction);
  if (over !== undefined) return over;
  const compiled = compilePattern(source);
  return compiled.kind === 'invalid' ? badPattern : compiled;
}

/** Linear in the length of the text, and at worst in the size of the pattern too. */
function search(value: Value, pattern: Pattern, meter: Meter): boolean | Fault {
  if (typeof value !== 'string') return notText;
  return spend(meter, 2 + ((value.length * pattern.size) >> 5)) ?? pattern.foundIn(value);
}
