import type { RefusedPolicy, RefusedRule } from '../policy/salvage-policy.ts';
import { addressesOf, compileTargets, type CompiledPolicy, type RuleName } from './compile-policy.ts';

/** A refused policy at work: it decides nothing, denies what it would have won, and restricts others as far as it did while it was valid (S4). */
export function compileRefused(policy: RefusedPolicy): CompiledPolicy {
  const id = `${policy.namespace}/${policy.name}`;
  const rules = named(policy, id);
  return {
    id,
    namespace: policy.namespace,
    mode: 'Enforce',
    attachment: policy.attachment,
    hosts: policy.hosts,
    targets: compileTargets(policy),
    paths: policy.keeps?.paths,
    addresses: policy.keeps && addressesOf(policy.keeps),
    setsHeaders: policy.keeps?.setsHeaders ?? [],
    metadata: undefined,
    refusesAll: policy.rules === 'every-request',
    rules: rules
      .filter(({ rule }) => !rule.isDenied)
      .map(({ rule, name }) => ({ matches: rule.matches, rule: { ...name, access: 'Refused' } })),
    denied: rules
      .filter(({ rule }) => rule.isDenied)
      .map(({ rule, name }) => ({
        matches: rule.matches,
        rule: { ...name, code: 'policy_invalid', addresses: undefined, conditions: undefined, dress: undefined },
      })),
    dress: undefined,
  };
}

function named(policy: RefusedPolicy, id: string): { readonly rule: RefusedRule; readonly name: RuleName }[] {
  const rules: readonly RefusedRule[] = policy.rules === 'every-request' ? [] : policy.rules;
  return rules.map((rule, position) => ({
    rule,
    name: { policy: id, namespace: policy.namespace, name: rule.name, position },
  }));
}
