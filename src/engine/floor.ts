import type { AuthorizationTest } from '../phases/authorization/authorization-test.ts';
import { compileDeniedConditions } from '../phases/authorization/compile-conditions.ts';
import { compileAuthorization } from '../phases/authorization/compile-authorization.ts';
import type { AddressTest } from '../phases/restrictions/compile-addresses.ts';
import type { RefusedPolicy } from '../policy/salvage-policy.ts';
import { widerPatterns } from '../policy/read-host.ts';
import type { ClusterAccessPolicySpec, MatchSpec, PolicyMode } from '../policy/spec.ts';
import { addressesOf, type DeniedRule, type IndexedRule, type RuleName } from './compile-policy.ts';
import { createRouteIndex, type RouteIndex } from './route-index.ts';

/** A cluster policy ready to restrict; it never allows (S8). */
export interface CompiledFloor {
  readonly id: string;
  readonly mode: PolicyMode['mode'];
  /** Undefined: every request. */
  readonly hosts: ReadonlySet<string> | undefined;
  readonly addresses: AddressTest | undefined;
  /** True for a refused cluster policy of which not even the matches can be read. */
  readonly refusesAll: boolean;
  readonly denied: RouteIndex<DeniedRule>;
  readonly demands: RouteIndex<Demand>;
}

/** A rule of the floor that asks for an identity, and perhaps for more. */
export interface Demand extends RuleName {
  readonly addresses: AddressTest | undefined;
  readonly authorization: AuthorizationTest | undefined;
}

export function compileFloor(spec: ClusterAccessPolicySpec): CompiledFloor {
  const denied: IndexedRule<DeniedRule>[] = [];
  const demands: IndexedRule<Demand>[] = [];
  for (const [position, rule] of spec.rules.entries()) {
    const name: RuleName = { policy: spec.name, namespace: '', name: rule.name, position };
    const addresses = addressesOf(rule);
    const { matches } = rule;
    if (rule.access === 'Denied')
      denied.push({
        matches,
        rule: { ...name, code: 'denied', addresses, conditions: compileDeniedConditions(rule.when), dress: undefined },
      });
    else {
      const authorization = rule.authorization === undefined ? undefined : compileAuthorization(rule.authorization);
      demands.push({ matches, rule: { ...name, addresses, authorization } });
    }
  }
  return {
    id: spec.name,
    mode: spec.mode,
    hosts: hostSet(spec.hosts),
    addresses: addressesOf(spec),
    refusesAll: false,
    denied: createRouteIndex(denied),
    demands: createRouteIndex(demands),
  };
}

/** A refused cluster policy denies what any rule of it would have restricted (S4). */
export function compileRefusedFloor({ name, hosts, rules }: RefusedPolicy): CompiledFloor {
  const known = rules === 'every-request' ? [] : rules;
  const denied = known.map((rule, position): { readonly rule: DeniedRule; readonly matches: readonly MatchSpec[] } => ({
    matches: rule.matches,
    rule: {
      policy: name,
      namespace: '',
      name: rule.name,
      position,
      code: 'policy_invalid',
      addresses: undefined,
      conditions: undefined,
      dress: undefined,
    },
  }));
  return {
    id: name,
    mode: 'Enforce',
    hosts: hostSet(hosts),
    addresses: undefined,
    refusesAll: rules === 'every-request',
    denied: createRouteIndex(denied),
    demands: createRouteIndex<Demand>([]),
  };
}

/** True where the floor stands over requests for the host. */
export function coversHost(floor: CompiledFloor, host: string): boolean {
  const { hosts } = floor;
  return hosts === undefined || hosts.has(host) || widerPatterns(host).some((pattern) => hosts.has(pattern));
}

function hostSet(hosts: readonly string[]): ReadonlySet<string> | undefined {
  return hosts.length === 0 ? undefined : new Set(hosts);
}
