import type { Problem } from '../../core/problem.ts';
import type { SetMember } from '../check-set.ts';
import { createProblemList } from '../problem-list.ts';
import { widerPatterns } from '../read-host.ts';
import type { AccessPolicySpec, MatchSpec, RuleSpec } from '../spec.ts';
import { isBelow, literalPart, shareMethod } from './match-cover.ts';
import { isChosenPrefix, protects } from './public-rules.ts';

type Member = SetMember<AccessPolicySpec>;

/**
 * Warns where a wildcard host makes Public what another policy of the namespace protects: below the wildcard, or on the hosts of a
 * wider one, whose rules are not asked there (S6). By the key of the policy with the wildcard. Compares pairs of policies: for a tool, not a service.
 */
export function wideningWarnings(members: readonly Member[]): ReadonlyMap<string, readonly Problem[]> {
  const enforced = members.filter(({ spec }) => spec.mode === 'Enforce');
  const byHost = new Map<string, Member[]>();
  for (const member of enforced) {
    for (const host of member.spec.hosts)
      byHost.set(hostKey(member, host), [...(byHost.get(hostKey(member, host)) ?? []), member]);
  }
  const warnings = new Map<string, readonly Problem[]>();
  for (const member of enforced) {
    const problems = createProblemList(member.document, []);
    for (const [index, host] of member.spec.hosts.entries()) {
      if (!host.startsWith('*')) continue;
      const others = othersBeside(member, host, enforced, byHost);
      const found = others.map((other) => ({ other, opening: openedBy(member.spec, other.spec) }));
      const first = found.find(({ opening }) => opening !== undefined);
      if (first?.opening === undefined) continue;
      const { opener, path, protector } = first.opening;
      const message = `the host ${host} is wider than it may be meant: its rule ${opener} makes ${path} Public, which the rule ${protector} of ${first.other.spec.namespace}/${first.other.spec.name} (${first.other.spec.hosts.join(', ')}) protects`;
      problems.warning('host-widens', ['spec', 'hosts', index], message);
    }
    if (problems.all.length > 0) warnings.set(member.key, problems.all);
  }
  return warnings;
}

function hostKey({ spec }: Member, host: string): string {
  return `${spec.namespace} ${host}`;
}

/** Policies of the namespace with a host below the wildcard, or a wildcard above it. */
function othersBeside(
  member: Member,
  wildcard: string,
  all: readonly Member[],
  byHost: ReadonlyMap<string, readonly Member[]>,
): readonly Member[] {
  const above = widerPatterns(wildcard).flatMap((wide) => byHost.get(hostKey(member, wide)) ?? []);
  const isBelowIt = (host: string): boolean => widerPatterns(host).includes(wildcard);
  const below = all.filter(({ spec }) => spec.namespace === member.spec.namespace && spec.hosts.some(isBelowIt));
  return [...new Set([...above, ...below])].filter((other) => other !== member);
}

interface Opening {
  readonly opener: string;
  readonly path: string;
  readonly protector: string;
}

/** What one policy makes Public of the prefixes that the other protects. */
function openedBy(opening: AccessPolicySpec, other: AccessPolicySpec): Opening | undefined {
  const guarded = matchesOf(other, protects).filter(({ match }) => isChosenPrefix(match));
  for (const { rule, match } of matchesOf(opening, ({ access }) => access === 'Public')) {
    const literal = literalPart(match.path);
    const hit = guarded.find(({ match: other }) => {
      const { value } = other.path;
      if (!shareMethod(match, other)) return false;
      return isBelow(literal, value) || (match.path.type === 'PathPrefix' && isBelow(value, literal));
    });
    if (hit !== undefined) return { opener: rule.name, path: hit.match.path.value, protector: hit.rule.name };
  }
  return undefined;
}

function matchesOf(
  { rules }: AccessPolicySpec,
  wanted: (rule: RuleSpec) => boolean,
): readonly { readonly rule: RuleSpec; readonly match: MatchSpec }[] {
  return rules.filter(wanted).flatMap((rule) => rule.matches.map((match) => ({ rule, match })));
}
