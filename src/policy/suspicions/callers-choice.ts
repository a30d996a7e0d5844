import type { ProblemList } from '../problem-list.ts';
import type { AccessPolicySpec, MatchSpec, RuleSpec } from '../spec.ts';
import { shareMethod } from './match-cover.ts';
import { createMatchIndex } from './placed-match.ts';

/**
 * Warns of rules that a query parameter alone selects beside others of the same path that a header selects. Neither goes before the other
 * (S14): a request with one of the two is decided by that rule alone, so whoever asks chooses what is asked of him.
 */
export function warnOfCallersChoice({ rules }: AccessPolicySpec, problems: ProblemList): void {
  const placed = rules.map((rule, index) => ({ rule, index })).filter(({ rule }) => rule.access !== 'Denied');
  const index = createMatchIndex(placed);
  for (const one of placed) {
    for (const [position, match] of one.rule.matches.entries()) {
      if (!isByQueryAlone(match)) continue;
      const other = index
        .samePath(match.path)
        .find(
          (found) => found.match.headers.length > 0 && isSameRank(found.match, match) && differs(found.rule, one.rule),
        );
      if (other === undefined) continue;
      const names = (values: MatchSpec['headers']): string => values.map(({ name }) => name).join(', ');
      const message = `the rule ${one.rule.name} is selected by the query (${names(match.queryParams)}), the rule ${other.rule.name} of the same path by a header (${names(other.match.headers)}): a request with only one of them is decided by that rule alone, so the caller chooses between the two`;
      problems.warning('caller-chooses-rule', ['spec', 'rules', one.index, 'matches', position], message);
    }
  }
}

function isByQueryAlone({ headers, queryParams }: MatchSpec): boolean {
  return headers.length === 0 && queryParams.length > 0;
}

/** A rule that names the method goes before one that does not, and ends the search where it is missed. */
function isSameRank(a: MatchSpec, b: MatchSpec): boolean {
  return (a.methods === undefined) === (b.methods === undefined) && shareMethod(a, b);
}

/** Rules that ask the same leave nothing to choose. */
function differs(a: RuleSpec, b: RuleSpec): boolean {
  const asked = ({ access, authorization, addresses, providers }: RuleSpec): string =>
    JSON.stringify([access, authorization, addresses, providers]);
  return asked(a) !== asked(b);
}
