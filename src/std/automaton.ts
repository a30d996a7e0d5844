import type { RE2JS } from 're2js';
import type { Steps } from './steps.ts';

/** A regular expression made into a table: which state follows on which kind of character. It holds nothing of what it was made of. */
export interface Automaton {
  /** What it took to make, in units of some 50 ns. */
  readonly work: number;
  /** What it holds, about. */
  readonly bytes: number;
  /** True where it takes the whole text; some nanoseconds a character. */
  readonly matches: (text: string) => boolean;
}

/** What RE2 holds of a state: the instructions that it may be at. */
interface State {
  readonly nfaStates: readonly number[];
  readonly isMatch: boolean;
}

/** An instruction of RE2's program. */
interface Instruction {
  readonly op: number;
  readonly arg: number;
  readonly runes: ArrayLike<number> | null;
  matchRune(rune: number): boolean;
}

/** Some 10 ms; what people write takes a hundredth of it. */
export const maxAutomatonWork = 200_000;
const workOfStep = 5000;
/** Behind the last of a text, and where a whole text has to match, as RE2's automaton writes them. */
const endOfText = -1;
const anchoredAtBoth = 2;
const ascii = 128;
const lastRune = 0x10_ffff;
/** The state that nothing leads out of. */
const dead = 0;
/** In place of a letter: no character of the alphabet. In a table it is a number that no letter has. */
const foreign = -1;
/** Above this the numbers of states and letters need two bytes. */
const maxByte = 0xff;

/**
 * Makes the automaton of a program, all its states at once; undefined where there are so many that it was given up. `printable`: for texts
 * of printable ASCII without spaces, of which any other matches nothing; `any`: for every text.
 */
export function* buildAutomaton(program: RE2JS, texts: 'printable' | 'any'): Steps<Automaton | undefined> {
  const { re2Input } = program;
  // An engine that would answer without the automaton.
  Object.assign(re2Input, { onepass: null });
  // Makes the first state.
  program.testExact('');
  const { dfa } = re2Input;
  const start: State | undefined = dfa.startStates.values().next().value;
  if (start === undefined || dfa.failed) return undefined;
  const alphabet = yield* readAlphabet(program, texts);
  const width = alphabet.letters.length + 1;
  const known = new Map<State, number>([[start, dead + 1]]);
  const rows: number[] = Array.from({ length: width }, () => dead);
  let work = alphabet.work;
  let pause = work + workOfStep;
  // A map that grows while it is walked through is walked through to its end.
  for (const state of known.keys()) {
    for (const rune of alphabet.letters) {
      const next: State | null = dfa.step(state, dfa.runeClass(rune), rune, anchoredAtBoth);
      if (next === null) return undefined;
      rows.push(numberOf(next, known));
      work += 1 + state.nfaStates.length + next.nfaStates.length;
      if (work > maxAutomatonWork) return undefined;
      if (work > pause) {
        pause = work + workOfStep;
        yield;
      }
    }
    const last: State | null = dfa.step(state, dfa.numClasses, endOfText, anchoredAtBoth);
    if (last === null) return undefined;
    rows.push(last.isMatch ? 1 : 0);
  }
  const { firstLetters, bounds, boundLetters } = alphabet;
  const length = ascii + rows.length;
  const table = Math.max(width, known.size) < maxByte ? new Uint8Array(length) : new Uint16Array(length);
  table.set(firstLetters.map((letter) => (letter === foreign ? width : letter)));
  table.set(rows, ascii);
  const bytes = table.byteLength + 6 * bounds.length + bytesOfTables;
  return {
    work: work + workOfTables,
    bytes,
    matches: toMatcher({ width, table, bounds, boundLetters }),
  };
}

/** Objects and closures, about. */
const bytesOfTables = 600;
const workOfTables = 300;

function numberOf(state: State, known: Map<State, number>): number {
  if (state.nfaStates.length === 0) return dead;
  const before = known.get(state);
  if (before !== undefined) return before;
  const number = known.size + 1;
  known.set(state, number);
  return number;
}

/** Which characters a program tells apart: of those that it does not one letter is enough. */
interface Alphabet {
  /** A character for each letter. */
  readonly letters: readonly number[];
  /** The letters of ASCII. */
  readonly firstLetters: readonly number[];
  /** Where beyond ASCII another letter begins, and which. */
  readonly bounds: ArrayLike<number>;
  readonly boundLetters: ArrayLike<number>;
  readonly work: number;
}

/** Comparisons of a class with an instruction that take a unit. */
const looksOfUnit = 2;

function* readAlphabet(program: RE2JS, texts: 'printable' | 'any'): Steps<Alphabet> {
  const { dfa } = program.re2Input;
  const runes = texts === 'printable' ? printable : [0, ...dfa.classBounds].filter((rune) => rune <= lastRune);
  const tests = testsOf(program);
  let looks = 0;
  // In place, for a copy for each instruction would be more garbage than all the rest.
  const kinds = runes.map(() => 0);
  for (const test of tests) {
    const seen = new Map<number, number>();
    for (const [at, rune] of runes.entries()) {
      const key = 2 * (kinds[at] ?? 0) + (test(rune) ? 1 : 0);
      const known = seen.get(key) ?? seen.size;
      seen.set(key, known);
      kinds[at] = known;
    }
    looks += runes.length;
    if (looks % 8000 < runes.length) yield;
  }
  const letters: number[] = [];
  for (const [at, kind] of kinds.entries()) letters[kind] ??= runes[at] ?? 0;
  const letterOf = new Map(runes.map((rune, at) => [rune, kinds[at] ?? 0]));
  const firstLetters = Array.from({ length: ascii }, (_, rune) =>
    texts === 'printable' ? (letterOf.get(rune) ?? foreign) : (kinds[dfa.runeClass(rune)] ?? foreign),
  );
  const bounds: number[] = [];
  const boundLetters: number[] = [];
  if (texts === 'any') {
    for (const rune of [ascii, ...runes.filter((one) => one > ascii)]) {
      const letter = kinds[dfa.runeClass(rune)] ?? foreign;
      if (letter === boundLetters.at(-1)) continue;
      bounds.push(rune);
      boundLetters.push(letter);
    }
  }
  const work = Math.ceil(looks / looksOfUnit) + bounds.length;
  // A few are kept as they are: a typed array takes more for itself.
  if (bounds.length < 30) return { letters, firstLetters, bounds, boundLetters, work };
  return {
    letters,
    firstLetters,
    bounds: Int32Array.from(bounds),
    boundLetters: Uint16Array.from(boundLetters),
    work,
  };
}

const printable: readonly number[] = Array.from({ length: 0x7f - 0x21 }, (_, index) => 0x21 + index);

/** All that a program asks of a character, each once. */
function testsOf(program: RE2JS): ((rune: number) => boolean)[] {
  const { prog } = program.re2Input;
  const known = new Set<unknown>();
  const tests: ((rune: number) => boolean)[] = [];
  let isOnlyRunes = true;
  for (let at = 0; at < prog.numInst(); at++) {
    const instruction: Instruction = prog.getInst(at);
    const { runes, op, arg } = instruction;
    if (runes === null || runes.length === 0) {
      isOnlyRunes = false;
      continue;
    }
    const key = runes.length === 1 ? `${op} ${arg} ${runes[0]}` : runes;
    if (known.has(key)) continue;
    known.add(key);
    tests.push((rune) => instruction.matchRune(rune));
  }
  // Instructions without characters may ask for the end of a line or of a word.
  if (!isOnlyRunes && /\\[bB]/.test(program.pattern())) tests.push(isWord);
  if (!isOnlyRunes && /\(\?[A-Za-z]*m/.test(program.pattern())) tests.push((rune) => rune === 0x0a);
  return tests;
}

function isWord(rune: number): boolean {
  return rune < ascii && /\w/.test(String.fromCharCode(rune));
}

interface Tables {
  readonly width: number;
  /** The letters of ASCII; behind them, by state and letter, the next state, and in the last column of each row whether a text may end. */
  readonly table: Uint8Array | Uint16Array;
  readonly bounds: ArrayLike<number>;
  readonly boundLetters: ArrayLike<number>;
}

function toMatcher({ width, table, bounds, boundLetters }: Tables): (text: string) => boolean {
  return (text) => {
    let state = dead + 1;
    for (let at = 0; at < text.length; at++) {
      const rune = text.codePointAt(at) ?? 0;
      if (rune > 0xffff) at++;
      const letter = rune < ascii ? (table[rune] ?? width) : letterAt(rune, bounds, boundLetters);
      if (letter === foreign || letter >= width) return false;
      state = table[ascii + state * width + letter] ?? dead;
      if (state === dead) return false;
    }
    return table[ascii + (state + 1) * width - 1] === 1;
  };
}

function letterAt(rune: number, bounds: ArrayLike<number>, letters: ArrayLike<number>): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bounds[middle] ?? 0) <= rune) low = middle + 1;
    else high = middle;
  }
  return letters[low - 1] ?? foreign;
}
