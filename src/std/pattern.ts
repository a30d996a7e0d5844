import { RE2JS, RE2JSException } from 're2js';
import { maxPatternCost, patternCost } from './pattern-cost.ts';

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

/** Compiles a pattern to look for; literals, prefixes and suffixes are answered without an automaton. */
export function compilePattern(source: string): Pattern | InvalidPattern {
  const [, start = '', escaped, end = ''] = plainShape.exec(source) ?? [];
  if (escaped !== undefined) return { kind: 'pattern', size: 1, foundIn: compilePlain(escaped, start, end) };
  if (patternCost(source) > maxPatternCost) return { kind: 'invalid', why: 'its repetitions make it too large' };
  try {
    const program = RE2JS.compile(source);
    return { kind: 'pattern', size: 4 * program.programSize(), foundIn: (text) => program.test(text) };
  } catch (thrown) {
    if (thrown instanceof RE2JSException) return { kind: 'invalid', why: thrown.message };
    throw thrown;
  }
}

function compilePlain(escaped: string, start: string, end: string): (text: string) => boolean {
  const literal = escaped.replaceAll('\\', '');
  if (start !== '') return end === '' ? (text) => text.startsWith(literal) : (text) => text === literal;
  return end === '' ? (text) => text.includes(literal) : (text) => text.endsWith(literal);
}
