import type { ProblemList } from '../problem-list.ts';
import type { FloorRuleSpec, RuleSpec, Spec } from '../spec.ts';
import { warnOfBelievedNames } from './believed-names.ts';
import { warnOfCallersChoice } from './callers-choice.ts';
import { warnOfCleartextEndpoint, warnOfCleartextKeys } from './cleartext-keys.ts';
import { warnOfDeniedRules } from './denied-rules.ts';
import { warnOfProviderTests } from './provider-tests.ts';
import { warnOfPublicRules } from './public-rules.ts';
import { warnOfRuleReach } from './rule-reach.ts';

/** Warns of what a valid document says that its author hardly means. Nothing here refuses, and nothing is decided by it. */
export function warnOfSuspicions(spec: Spec, problems: ProblemList): void {
  switch (spec.kind) {
    case 'IdentityProvider':
    case 'ClusterIdentityProvider':
      if (spec.type === 'JWT') warnOfCleartextKeys(spec, problems);
      if (spec.type === 'Introspection') warnOfCleartextEndpoint(spec, problems);
      if (spec.type === 'ClientCertificate') warnOfBelievedNames(spec, problems);
      return;
    case 'ClusterAccessPolicy':
      warnOfDenials(spec.rules, problems);
      return;
    case 'AccessPolicy':
      warnOfDenials(spec.rules, problems);
      warnOfRuleReach(spec, problems);
      warnOfPublicRules(spec, problems);
      warnOfProviderTests(spec, problems);
      warnOfCallersChoice(spec, problems);
  }
}

function warnOfDenials(rules: readonly (RuleSpec | FloorRuleSpec)[], problems: ProblemList): void {
  const denied = rules.flatMap((rule, index) => (rule.access === 'Denied' ? [{ rule, index }] : []));
  warnOfDeniedRules(denied, problems);
}
