import type { PolicyEnvironment } from '../expressions/policy-environments.ts';
import type { AuthorizationSpec, ConditionSpec, KubernetesAccessSpec, TextTemplate, UpstreamSpec } from './spec.ts';

/** What of a rule, of a policy or of the floor, holds expressions. */
export interface RuleWithExpressions {
  readonly when: readonly ConditionSpec[];
  readonly authorization: AuthorizationSpec | undefined;
  readonly upstream?: UpstreamSpec;
}

export interface PlacedExpression {
  readonly expression: string;
  readonly environment: PolicyEnvironment;
}

/** Every expression of the rule, those that it inherits among them, as it is compiled. */
export function expressionsOfRule({ when, authorization, upstream }: RuleWithExpressions): PlacedExpression[] {
  const blocks = authorization === undefined ? [] : [authorization, ...authorization.anyOf];
  const headers = (upstream?.headers ?? []).flatMap((header) => ('expression' in header ? [header] : []));
  return [
    ...when.map(({ expression }) => ({ expression, environment: 'deniedCondition' as const })),
    ...blocks.flatMap((block) =>
      block.when.map(({ expression }) => ({ expression, environment: 'condition' as const })),
    ),
    ...headers.map(({ expression }) => ({ expression, environment: 'header' as const })),
    ...blocks.flatMap(({ kubernetes }) => (kubernetes === undefined ? [] : expressionsOfAccess(kubernetes))),
  ];
}

/** Every expression of the question. */
export function expressionsOfAccess({ user, groups, attributes }: KubernetesAccessSpec): PlacedExpression[] {
  const templates: readonly (TextTemplate | undefined)[] = [user, ...Object.values(attributes.fields)];
  const texts = templates.flatMap((one) =>
    one !== undefined && 'expression' in one ? [{ expression: one.expression, environment: 'text' as const }] : [],
  );
  if (groups?.expression === undefined) return texts;
  return [...texts, { expression: groups.expression, environment: 'texts' as const }];
}
