import type { ProblemList } from '../problem-list.ts';
import type { Spec } from '../spec.ts';
import { warnOfDeniedRules } from './denied-rules.ts';
import { warnOfProviderTests } from './provider-tests.ts';
import { warnOfPublicRules } from './public-rules.ts';
import { warnOfRuleReach } from './rule-reach.ts';

/** Warns of what a valid document says that its author hardly means. Nothing here refuses, and nothing is decided by it. */
export function warnOfSuspicions(spec: Spec, problems: ProblemList): void {
  if (spec.kind !== 'AccessPolicy' && spec.kind !== 'ClusterAccessPolicy') return;
  const denied = spec.rules.flatMap((rule, index) => (rule.access === 'Denied' ? [{ rule, index }] : []));
  warnOfDeniedRules(denied, problems);
  if (spec.kind !== 'AccessPolicy') return;
  warnOfRuleReach(spec, problems);
  warnOfPublicRules(spec, problems);
  warnOfProviderTests(spec, problems);
}
