import { checkExpressions } from './check-expressions.ts';
import type { ClusterAccessPolicyShape, FloorRuleShape } from './document-shape.ts';
import type { FieldPath, ProblemList } from './problem-list.ts';
import { readAuthorization } from './read-authorization.ts';
import { readMatch } from './read-match.ts';
import { readHosts } from './read-attachment.ts';
import { checkAuthorizationPresence, checkRuleNames, readAddresses } from './read-policy.ts';
import type { SpecName } from './spec-name.ts';
import type { ClusterAccessPolicySpec, FloorRuleSpec } from './spec.ts';
import { readDeniedConditions } from './read-conditions.ts';

/** Requests with any of these can reach the floor, where a policy below lets them pass. */
const everyEscape = ['%2F', '%23', '%25', '%3F'];

/** Reads the `spec` of a ClusterAccessPolicy whose structure is right; undefined where an error makes it unusable. */
export function readFloor(
  { name }: SpecName,
  shape: ClusterAccessPolicyShape,
  problems: ProblemList,
): ClusterAccessPolicySpec | undefined {
  const rules = shape.rules ?? [];
  checkRuleNames(rules, problems);
  const spec: ClusterAccessPolicySpec = {
    kind: 'ClusterAccessPolicy',
    namespace: '',
    name,
    mode: shape.mode ?? 'Enforce',
    onInvalid: shape.onInvalid ?? 'KeepLast',
    hosts: readHosts(shape.hosts ?? [], problems),
    addresses: readAddresses(shape.addresses, ['spec', 'addresses'], problems),
    rules: rules.map((rule, index) => readRule(rule, ['spec', 'rules', index], problems)),
  };
  if (rules.length === 0 && spec.addresses === undefined) {
    problems.error('missing-field', ['spec'], 'the policy restricts nothing: write rules or addresses');
  }
  checkExpressions(spec.rules, problems);
  return problems.hasError() ? undefined : spec;
}

function readRule(rule: FloorRuleShape, at: FieldPath, problems: ProblemList): FloorRuleSpec {
  checkAuthorizationPresence(rule, at, problems);
  return {
    name: rule.name,
    matches: rule.matches.flatMap(
      (match, index) => readMatch(match, everyEscape, [...at, 'matches', index], problems, problems.patterns) ?? [],
    ),
    access: rule.access,
    authorization:
      rule.authorization === undefined
        ? undefined
        : readAuthorization(rule.authorization, [...at, 'authorization'], problems),
    addresses: readAddresses(rule.addresses, [...at, 'addresses'], problems),
    when: readDeniedConditions(rule, at, problems),
  };
}
