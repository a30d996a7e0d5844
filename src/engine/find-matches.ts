import { denial, type Denial } from '../core/decision.ts';
import { joinLists } from '../std/join-lists.ts';
import type { CompiledRule, DeniedRule } from './compile-policy.ts';
import type { CompiledFloor, Demand } from './floor.ts';
import type { PolicyGroup } from './policy-group.ts';
import type { Found, MatchingWork } from './route-index.ts';

/** The matches that a path may fit, of everything that stands over a request. */
export interface FoundMatches {
  /** The Denied rules of the floors, then those of the policies. */
  readonly denied: readonly Found<DeniedRule>[];
  readonly demands: readonly Found<Demand>[];
  /** The Allow rules of the nearest. */
  readonly rules: Found<CompiledRule>;
}

export function findMatches(
  floors: readonly CompiledFloor[],
  { denied, rules }: PolicyGroup,
  path: string,
  folded: string,
): FoundMatches {
  return {
    denied: joinLists(
      floors.map((floor) => floor.denied.find(path, folded)),
      [denied.find(path, folded)],
    ),
    demands: floors.map(({ demands }) => demands.find(path, folded)),
    rules: rules.find(path, folded),
  };
}

/** What all of them cost together, known before any is looked at. */
export function workOfAll({ denied, demands, rules }: FoundMatches): MatchingWork {
  let { characters, tests } = rules;
  for (const found of joinLists<MatchingWork, MatchingWork>(denied, demands)) {
    characters += found.characters;
    tests += found.tests;
  }
  return { characters, tests };
}

/** Of the path, looked at by all regular expressions together: some 10 ms. */
const maxCharacters = 600_000;
/** Of matches, and of the headers and parameters that they ask about: some 3 ms. */
const maxTests = 10_000;

const tooLong = denial('request_too_large', 'The path is too long for the regular expressions of the policies.');
const tooMany = denial('policy_too_complex', 'More matches of the policies fit the path than may be looked at.');

/** Why a request is denied before its matches are looked at; undefined where they are few enough. None is ever left out. */
export function objectionTo({ characters, tests }: MatchingWork): Denial | undefined {
  if (characters > maxCharacters) return tooLong;
  return tests > maxTests ? tooMany : undefined;
}

/** Work that several decisions share. */
export interface MatchingBudget {
  /** False where there is not as much left. */
  take(work: MatchingWork): boolean;
}

/** As much as one request may cost. */
export function createMatchingBudget(): MatchingBudget {
  let left: MatchingWork = { characters: maxCharacters, tests: maxTests };
  return {
    take: ({ characters, tests }) => {
      if (characters > left.characters || tests > left.tests) return false;
      left = { characters: left.characters - characters, tests: left.tests - tests };
      return true;
    },
  };
}
