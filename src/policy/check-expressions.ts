import type { ProblemList } from './problem-list.ts';
import { expressionsOfRule, type RuleWithExpressions } from './rule-expressions.ts';

/** Some 20 ms to compile, whenever the policy is taken in. */
const maxCharacters = 256 * 1024;

/** All expressions of a policy together; what every rule inherits counts for every rule, for which it is compiled. */
export function checkExpressions(rules: readonly RuleWithExpressions[], problems: ProblemList): void {
  const characters = rules.flatMap(expressionsOfRule).reduce((sum, { expression }) => sum + expression.length, 0);
  if (characters <= maxCharacters) return;
  const message = `the expressions of all rules have more than ${maxCharacters} characters together, inherited ones counted for every rule`;
  problems.error('too-large', ['spec', 'rules'], message);
}
