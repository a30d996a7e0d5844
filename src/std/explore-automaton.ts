import type { RE2JS } from 're2js';

/** What the automaton holds of one of its states: the instructions that it may be at. */
interface State {
  readonly nfaStates: readonly number[];
}

/** Some 10 ms; what people write takes a hundredth of it. */
export const maxAutomatonWork = 200_000;
/** Behind the last of a text, as RE2's automaton writes it. */
const endOfText = -1;
const anchors = { whole: 2, part: 0 } as const;

/**
 * Walks through all states of the automaton that RE2 otherwise makes while it matches, so that matching only looks up afterwards, whatever
 * the text: some ten nanoseconds a character. Answers the work that it took; undefined where there are so many states that it was given up.
 * `whole`: for texts that match as a whole, of printable ASCII; `part`: for any text, of which a part matches.
 */
export function exploreAutomaton(program: RE2JS, extent: keyof typeof anchors): number | undefined {
  const { re2Input } = program;
  // A text that is compared, and an automaton without choices, have nothing to be made at run time.
  if (re2Input.prefixComplete || re2Input.onepass !== null) return re2Input.numberOfInstructions();
  // Makes the first state.
  program.testExact('');
  const { dfa } = re2Input;
  const runes = extent === 'whole' ? printable : [0, ...dfa.classBounds];
  const classes = new Map<number, number>([[dfa.numClasses, endOfText]]);
  for (const rune of runes) {
    const runeClass = dfa.runeClass(rune);
    if (!classes.has(runeClass)) classes.set(runeClass, rune);
  }
  const states: Iterable<State> = dfa.startStates.values();
  const known = new Set(states);
  let work = 0;
  // A set that grows while it is walked through is walked through to its end.
  for (const state of known) {
    for (const [runeClass, rune] of classes) {
      const next: State | null = dfa.step(state, runeClass, rune, anchors[extent]);
      if (next === null) return undefined;
      known.add(next);
      work += 1 + state.nfaStates.length + next.nfaStates.length;
      if (work > maxAutomatonWork) return undefined;
    }
  }
  return work;
}

const printable: readonly number[] = Array.from({ length: 0x7f - 0x21 }, (_, index) => 0x21 + index);
