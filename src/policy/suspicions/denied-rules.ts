import { parseCidr } from '../../std/ip.ts';
import type { ProblemList } from '../problem-list.ts';
import type { AddressesSpec, ConditionSpec, MatchSpec } from '../spec.ts';
import { asksNoMore, deniesMethodsOf } from './match-cover.ts';
import { createMatchIndex, type MatchIndex, type PlacedRule } from './placed-match.ts';

/** What is looked at of a Denied rule, of a policy or of the floor. */
export interface DenyingRule {
  readonly name: string;
  readonly matches: readonly MatchSpec[];
  readonly addresses: AddressesSpec | undefined;
  readonly when: readonly ConditionSpec[];
}

/** Warns of Denied rules that hit nobody, and of those that say only what another one says. */
export function warnOfDeniedRules(rules: readonly PlacedRule<DenyingRule>[], problems: ProblemList): void {
  const index = createMatchIndex(rules);
  for (const placed of rules) {
    const { rule } = placed;
    const never = whyNever(rule);
    if (never !== undefined) problems.warning('deny-never', ['spec', 'rules', placed.index], never);
    const by = never === undefined ? coveringRule(placed, index) : undefined;
    if (by === undefined) continue;
    const message = `the rule ${rule.name} denies only what the rule ${by} denies: one of them says nothing`;
    problems.warning('deny-covered', ['spec', 'rules', placed.index], message);
  }
}

/** S15: with addresses a Denied rule hits the clients that these refuse. */
function whyNever({ name, addresses }: DenyingRule): string | undefined {
  if (addresses !== undefined && refusesNobody(addresses)) {
    return `the rule ${name} denies nobody whose address is known: with addresses it hits the clients that these refuse, and they refuse none`;
  }
  return undefined;
}

function refusesNobody({ allow, deny }: AddressesSpec): boolean {
  const families = new Set(allow.flatMap((range) => (parseCidr(range)?.prefix === 0 ? parseCidr(range)?.family : [])));
  return deny.length === 0 && (allow.length === 0 || families.size === 2);
}

/** The first of the rules that together deny all that this one denies; of two that deny the same the later one is covered. */
function coveringRule({ rule, index }: PlacedRule<DenyingRule>, denied: MatchIndex<DenyingRule>): string | undefined {
  const covering = rule.matches.map((match) =>
    denied.over(match.path).find((other) => {
      if (other.index === index || !hitsAsMany(other.rule, rule) || !denies(other.match, match)) return false;
      return other.index < index || !(isSamePath(match, other.match) && denies(match, other.match));
    }),
  );
  return covering.includes(undefined) ? undefined : covering[0]?.rule.name;
}

function hitsAsMany(wide: DenyingRule, narrow: DenyingRule): boolean {
  const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const addresses = wide.addresses === undefined || isSame(wide.addresses, narrow.addresses);
  return addresses && (wide.when.length === 0 || isSame(wide.when, narrow.when));
}

function isSamePath(a: MatchSpec, b: MatchSpec): boolean {
  return a.path.type === b.path.type && a.path.value.toLowerCase() === b.path.value.toLowerCase();
}

/** True where a Denied rule's match, whose path is known to stand over the other's, takes all that the other takes. */
export function denies(denied: MatchSpec, match: MatchSpec): boolean {
  return deniesMethodsOf(denied, match) && asksNoMore(denied, match);
}
