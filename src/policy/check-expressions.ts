import type { ProblemList } from './problem-list.ts';
import { expressionsOf } from './read-kubernetes-access.ts';
import type { AuthorizationSpec, ConditionSpec, UpstreamSpec } from './spec.ts';

/** What of a rule, of a policy or of the floor, holds expressions. */
interface RuleWithExpressions {
  readonly when: readonly ConditionSpec[];
  readonly authorization: AuthorizationSpec | undefined;
  readonly upstream?: UpstreamSpec;
}

/** Some 20 ms to compile, whenever the policy is taken in. */
const maxCharacters = 256 * 1024;

/** All expressions of a policy together; what every rule inherits counts for every rule, for which it is compiled. */
export function checkExpressions(rules: readonly RuleWithExpressions[], problems: ProblemList): void {
  const characters = rules.reduce((sum, rule) => sum + charactersOf(rule), 0);
  if (characters <= maxCharacters) return;
  const message = `the expressions of all rules have more than ${maxCharacters} characters together, inherited ones counted for every rule`;
  problems.error('too-large', ['spec', 'rules'], message);
}

function charactersOf({ when, authorization, upstream }: RuleWithExpressions): number {
  const blocks = authorization === undefined ? [] : [authorization, ...authorization.anyOf];
  const conditions = [...when, ...blocks.flatMap((block) => block.when)];
  const headers = (upstream?.headers ?? []).flatMap((header) => ('expression' in header ? [header] : []));
  const questions = blocks.flatMap(({ kubernetes }) => (kubernetes === undefined ? [] : expressionsOf(kubernetes)));
  return [...conditions, ...headers, ...questions].reduce((sum, { expression }) => sum + expression.length, 0);
}
