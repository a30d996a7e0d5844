import { RE2JS, RE2JSException } from 're2js';
import { maxPatternCost, patternCost } from './pattern-cost.ts';
import { createSearchMemory, type SearchStates } from './search-memory.ts';
import { createSharedByText } from './shared-values.ts';

/** A regular expression in RE2's syntax that is looked for anywhere in a text. */
export interface Pattern {
  readonly kind: 'pattern';
  /** A measure of what a search costs for each character: 1 where the text is only compared, else four for each instruction of the program. */
  readonly size: number;
  foundIn(text: string): boolean;
}

export interface InvalidPattern {
  readonly kind: 'invalid';
  readonly why: string;
}

/** `^`, letters that mean themselves, `$`, where an escaped full stop or slash is one of them. */
const plainShape = /^(\^?)((?:[A-Za-z0-9_ /:@=,;~#%&'"<>!-]|\\[./-])*)(\$?)$/;

/** Those that somebody has. */
const inUse = createSharedByText<Pattern>();
/** Of all patterns: what is made while requests are looked at must not grow with them. */
const memory = createSearchMemory(16 * 1024 * 1024);

/** True where the pattern is answered without an automaton: it takes nothing to compile. */
export function isPlainPattern(source: string): boolean {
  return plainShape.test(source);
}

/** Compiles a pattern to look for; literals, prefixes and suffixes are answered without an automaton. One that somebody has is the same. */
export function compilePattern(source: string): Pattern | InvalidPattern {
  const known = inUse.get(source);
  if (known !== undefined) return known;
  const compiled = compileAnew(source);
  if (compiled.kind === 'pattern') inUse.set(source, compiled);
  return compiled;
}

function compileAnew(source: string): Pattern | InvalidPattern {
  const [, start = '', escaped, end = ''] = plainShape.exec(source) ?? [];
  if (escaped !== undefined) return { kind: 'pattern', size: 1, foundIn: compilePlain(escaped, start, end) };
  if (patternCost(source) > maxPatternCost)
    return { kind: 'invalid', why: 'its repetitions and classes make it too large: fewer or smaller ones' };
  try {
    const program = RE2JS.compile(source);
    // A copy of the program with all classes written out; the automaton answers as fast.
    Object.assign(program.re2Input, { onepass: null });
    return { kind: 'pattern', size: 4 * program.programSize(), foundIn: (text) => search(program, text) };
  } catch (thrown) {
    if (thrown instanceof RE2JSException) return { kind: 'invalid', why: thrown.message };
    throw thrown;
  }
}

function search(program: RE2JS, text: string): boolean {
  const states: SearchStates = program.re2Input.dfa;
  const before = states.memBudget;
  const found = program.test(text);
  memory.searched(states, before);
  return found;
}

function compilePlain(escaped: string, start: string, end: string): (text: string) => boolean {
  const literal = escaped.replaceAll('\\', '');
  if (start !== '') return end === '' ? (text) => text.startsWith(literal) : (text) => text === literal;
  return end === '' ? (text) => text.includes(literal) : (text) => text.endsWith(literal);
}
