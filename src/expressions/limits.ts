/**
 * What an expression may be and do. Structure is held when a policy is read, work when the expression is evaluated: whoever writes the
 * policy decides the first, whoever sends the request the second, and neither may hold the event loop for more than 10 ms.
 */
export const limits = {
  /** Characters of the source. */
  sourceLength: 4096,
  /** Nesting of the tree; a chain of `&&` or of `||` counts once. */
  depth: 48,
  /** Macros that loop (all, exists, exists_one, map, filter) within the body of one another. */
  nestedMacros: 2,
  /** Elements of a list that an expression makes or loops over. */
  listLength: 10_000,
  /** UTF-16 code units of a text, bytes of bytes, that an expression makes. */
  textLength: 65_536,
  /** What all regular expressions of one expression may cost together to compile, in the units of `std/pattern-cost.ts`. */
  patternCost: 2500,
  /** What one of these units is in those of `std/pattern-budget.ts`: 10,000 of them for all expressions of a policy. */
  workOfPattern: 200,
  /** What each program takes beside its instructions. */
  costOfProgram: 40,
  /** Characters of a regular expression that is not a literal. */
  dynamicPatternLength: 128,
  /** Units of work of one evaluation. One is about what a node of the tree costs: 20 to 100 ns. */
  work: 50_000,
  /** Units of work of all evaluations of one check together: one policy can have a thousand conditions. */
  workOfCheck: 250_000,
} as const;
