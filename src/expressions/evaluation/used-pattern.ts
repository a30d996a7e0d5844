import type { PatternBudget } from '../../std/pattern-budget.ts';
import { isPlainPattern } from '../../std/pattern.ts';
import { limits } from '../limits.ts';

/** A regular expression that is a literal of an expression. */
export interface UsedPattern {
  readonly source: string;
  /** What it takes, by `std/pattern-cost.ts`. */
  readonly cost: number;
  /** Where it stands in the expression. */
  readonly at: number;
}

/** Takes what a regular expression takes off what all expressions of a policy may; says why where there is not enough left. */
export function spendPattern({ source, cost }: UsedPattern, budget: PatternBudget): string | undefined {
  const work = isPlainPattern(source) ? 0 : (cost + limits.costOfProgram) * limits.workOfPattern;
  if (budget.isLeft && budget.spend(`part ${source}`, work)) return undefined;
  return 'the regular expression is too much beside the others of the policy: fewer of them, or simpler ones';
}
