import { foldPath } from '../../canonical/path.ts';
import type { ProblemList } from '../problem-list.ts';
import type { AccessPolicySpec, MatchSpec, RuleSpec } from '../spec.ts';
import { shareMethod } from './match-cover.ts';
import { createMatchIndex } from './placed-match.ts';

/** Warns of Public rules that open a part of what another rule protects, and of those that pass credentials on that nobody looked at. */
export function warnOfPublicRules({ rules }: AccessPolicySpec, problems: ProblemList): void {
  const placed = rules.map((rule, index) => ({ rule, index }));
  const protecting = createMatchIndex(placed.filter(({ rule }) => protects(rule)));
  for (const { rule, index } of placed) {
    if (rule.access !== 'Public') continue;
    const at = ['spec', 'rules', index];
    if (rule.upstream.credential === 'Keep') {
      const message = `the rule ${rule.name} is Public and keeps the credential: what reaches the service was verified by nobody`;
      problems.warning('public-keeps-credential', [...at, 'upstream', 'credential'], message);
    }
    for (const [position, match] of rule.matches.entries()) {
      const over = protecting.over(match.path).find((other) => isProperlyOver(other.match, match));
      if (over === undefined) continue;
      const message = `the rule ${rule.name} opens a part of ${over.match.path.value}, which the rule ${over.rule.name} protects: nobody is asked who they are there`;
      problems.warning('public-below-protected', [...at, 'matches', position], message);
    }
  }
}

export function protects({ access }: Pick<RuleSpec, 'access'>): boolean {
  return access === 'Authenticated' || access === 'Restricted';
}

/** `/` is how a policy says "everything else", and no prefix that somebody chose to protect. */
export function isChosenPrefix({ path }: MatchSpec): boolean {
  return path.type === 'PathPrefix' && path.value !== '/';
}

function isProperlyOver(wide: MatchSpec, narrow: MatchSpec): boolean {
  const isSame = narrow.path.type === 'PathPrefix' && foldPath(narrow.path.value) === foldPath(wide.path.value);
  return isChosenPrefix(wide) && !isSame && shareMethod(wide, narrow);
}
