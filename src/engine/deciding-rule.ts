import type { AllowingRule, RuleName } from './compile-policy.ts';

/** The first by namespace, name and position, among those that restrict where there are any: a Public rule adds nothing beside one (S14). */
export function decidingRule(matched: readonly AllowingRule[]): AllowingRule | undefined {
  if (matched.length < 2) return matched[0];
  const strictest = strictness.map((access) => matched.filter((rule) => access.includes(rule.access)));
  const candidates = strictest.find((rules) => rules.length > 0) ?? [];
  if (candidates.length < 2) return candidates[0];
  return candidates.toSorted((a, b) => compareNames(a, b))[0];
}

const strictness: readonly (readonly AllowingRule['access'][])[] = [
  ['Authenticated', 'Restricted'],
  ['Optional'],
  ['Public'],
];

function compareNames(a: RuleName, b: RuleName): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  if (a.policy !== b.policy) return a.policy < b.policy ? -1 : 1;
  return a.position - b.position;
}
