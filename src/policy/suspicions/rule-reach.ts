import type { ProblemList } from '../problem-list.ts';
import type { AccessPolicySpec, MatchSpec, RuleSpec } from '../spec.ts';
import { denies } from './denied-rules.ts';
import { asksNoMore, takesMethodsOf } from './match-cover.ts';
import { createMatchIndex, type MatchIndex, type PlacedRule } from './placed-match.ts';

/** Warns of rules that never decide because others of the policy always do. */
export function warnOfRuleReach({ rules }: AccessPolicySpec, problems: ProblemList): void {
  const placed = rules.map((rule, index) => ({ rule, index }));
  const denied = createMatchIndex(
    placed.filter(({ rule }) => rule.access === 'Denied' && rule.addresses === undefined && rule.when.length === 0),
  );
  const allowing = placed.filter(({ rule }) => rule.access !== 'Denied');
  const index = createMatchIndex(allowing);
  for (const one of allowing) {
    const found = one.rule.matches.map((match) => deniedBy(match, denied) ?? decidedBy(one, match, index));
    const [first] = found;
    if (first === undefined || found.includes(undefined)) continue;
    const at = ['spec', 'rules', one.index];
    const { name } = one.rule;
    const isDead = found.every((other) => other === undefined || strictness(other) > strictness(one.rule));
    if (isDead) {
      const message = `the rule ${name} never decides: whatever it matches, the rule ${first.name} (${first.access}) does`;
      problems.warning('rule-unreachable', at, message);
    } else {
      const message = `the rule ${name} matches only what the rule ${first.name} before it matches: what it asks for is asked as well, its upstream and response are never used`;
      problems.warning('rule-shadowed', at, message);
    }
  }
}

function deniedBy(match: MatchSpec, denied: MatchIndex<RuleSpec>): RuleSpec | undefined {
  return denied.over(match.path).find((other) => denies(other.match, match))?.rule;
}

/** The rule that decides wherever this match fits: of the same rank, and stricter or before it (S14). */
function decidedBy(
  { rule, index }: PlacedRule<RuleSpec>,
  match: MatchSpec,
  rules: MatchIndex<RuleSpec>,
): RuleSpec | undefined {
  const isAhead = (other: PlacedRule<RuleSpec>): boolean => {
    const difference = strictness(other.rule) - strictness(rule);
    return difference > 0 || (difference === 0 && other.index < index);
  };
  return rules
    .samePath(match.path)
    .find((other) => isAhead(other) && takesMethodsOf(other.match, match) && asksNoMore(other.match, match))?.rule;
}

function strictness({ access }: RuleSpec): number {
  switch (access) {
    case 'Public':
      return 0;
    case 'Optional':
      return 1;
    case 'Authenticated':
    case 'Restricted':
      return 2;
    case 'Denied':
      return 3;
  }
}
