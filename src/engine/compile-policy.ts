import { denial, type HeaderEntry } from '../core/decision.ts';
import { compileAuthorization, type AuthorizationTest } from '../phases/authorization/compile-authorization.ts';
import { compileAuthentication, type Authenticate } from '../phases/identity/authenticate.ts';
import { compileCredentialRemoval, type CredentialRemoval } from '../phases/identity/credential-removal.ts';
import type { IdentityProvider } from '../phases/identity/identity-provider.ts';
import { compileUpstream, type UpstreamProgram } from '../phases/response/compile-upstream.ts';
import { compileAddresses, type AddressTest } from '../phases/restrictions/compile-addresses.ts';
import type { RefusedPolicy, RefusedRule } from '../policy/salvage-policy.ts';
import { specKey, type AccessPolicySpec, type CredentialPlace, type MatchSpec, type RuleSpec } from '../policy/spec.ts';

/** A policy ready to decide: everything that can be prepared is. Replaced as a whole when anything of it changes. */
export interface CompiledPolicy {
  /** `namespace/name`. */
  readonly id: string;
  readonly namespace: string;
  readonly hosts: readonly string[];
  /** Undefined for a refused policy, whose settings are not known. */
  readonly paths: AccessPolicySpec['paths'] | undefined;
  readonly addresses: AddressTest | undefined;
  readonly setsHeaders: readonly string[];
  /** True for a refused policy of which not even the matches can be read: it takes every request of its hosts (S4). */
  readonly refusesAll: boolean;
  readonly rules: readonly IndexedRule<CompiledRule>[];
  readonly denied: readonly IndexedRule<DeniedRule>[];
}

export interface IndexedRule<T> {
  readonly rule: T;
  readonly matches: readonly MatchSpec[];
}

export interface RuleName {
  /** `namespace/name`. */
  readonly policy: string;
  readonly namespace: string;
  readonly name: string;
  /** In its policy, from 0. */
  readonly position: number;
}

export interface DeniedRule extends RuleName {
  /** `policy_invalid` where the rule is one of a refused policy. */
  readonly code: 'denied' | 'policy_invalid';
  /** Where there is one, the rule hits only the clients that it refuses (S15). */
  readonly addresses: AddressTest | undefined;
}

export type CompiledRule = AllowingRule | RefusedDecision;

/** A rule of a refused policy: whatever it would have decided is denied (S4). */
export interface RefusedDecision extends RuleName {
  readonly access: 'Refused';
}

export interface AllowingRule extends RuleName {
  readonly access: 'Public' | 'Authenticated' | 'Restricted';
  readonly addresses: AddressTest | undefined;
  /** Undefined for Public rules, which verify nothing. */
  readonly authentication: Authenticate | undefined;
  readonly authorization: AuthorizationTest | undefined;
  readonly upstream: UpstreamProgram;
  readonly removeCredential: CredentialRemoval;
  /** Header names of credentials that the rule passes on. */
  readonly keptHeaders: readonly string[];
  readonly responseHeaders: readonly HeaderEntry[];
}

/** Compiles a valid policy; a provider that is not among those running is one that was deleted since. */
export function compilePolicy(
  spec: AccessPolicySpec,
  providers: ReadonlyMap<string, IdentityProvider>,
): CompiledPolicy {
  const id = `${spec.namespace}/${spec.name}`;
  const nameOf = (rule: RuleSpec, position: number): RuleName => ({
    policy: id,
    namespace: spec.namespace,
    name: rule.name,
    position,
  });
  const running = (refs: AccessPolicySpec['providers']): IdentityProvider[] =>
    refs.flatMap((ref) => providers.get(specKey(ref)) ?? []);
  const all = running(spec.providers);
  const rules: IndexedRule<CompiledRule>[] = [];
  const denied: IndexedRule<DeniedRule>[] = [];
  for (const [position, rule] of spec.rules.entries()) {
    const { matches, access } = rule;
    const name = nameOf(rule, position);
    if (access === 'Denied') denied.push({ matches, rule: { ...name, code: 'denied', addresses: addressesOf(rule) } });
    else rules.push({ matches, rule: compileRule(name, access, rule, running(rule.providers), all) });
  }
  const addresses = addressesOf(spec);
  const { namespace, hosts, paths, setsHeaders } = spec;
  return { id, namespace, hosts, paths, addresses, setsHeaders, refusesAll: false, rules, denied };
}

function compileRule(
  name: RuleName,
  access: AllowingRule['access'],
  rule: RuleSpec,
  providers: readonly IdentityProvider[],
  allOfPolicy: readonly IdentityProvider[],
): AllowingRule {
  const keeps = rule.upstream.credential === 'Keep';
  // Every place of every provider of the policy is emptied; what Keep passes is the credential of the rule's own providers.
  const passing = access === 'Public' ? allOfPolicy : providers;
  const kept = keeps ? passing.flatMap(({ places }) => places) : [];
  const emptied = allOfPolicy
    .flatMap(({ places }) => places)
    .filter((place) => !kept.some((other) => isSamePlace(place, other)));
  return {
    ...name,
    access,
    addresses: addressesOf(rule),
    authentication: access === 'Public' ? undefined : authenticateBy(providers),
    authorization: rule.authorization === undefined ? undefined : compileAuthorization(rule.authorization),
    upstream: compileUpstream(rule.upstream),
    removeCredential: compileCredentialRemoval(emptied),
    keptHeaders: kept.flatMap((place) =>
      place.in === 'header' ? [place.name] : place.in === 'cookie' ? ['cookie'] : [],
    ),
    responseHeaders: rule.response.headers.map(({ name: header, value }) => [header, value] as const),
  };
}

/** A refused policy at work: it decides nothing and denies what it would have won (S4). */
export function compileRefused(policy: RefusedPolicy): CompiledPolicy {
  const id = `${policy.namespace}/${policy.name}`;
  const rules: readonly RefusedRule[] = policy.rules === 'every-request' ? [] : policy.rules;
  const named = rules.map((rule, position) => ({
    rule,
    name: { policy: id, namespace: policy.namespace, name: rule.name, position },
  }));
  return {
    id,
    namespace: policy.namespace,
    hosts: policy.hosts,
    paths: undefined,
    addresses: undefined,
    setsHeaders: [],
    refusesAll: policy.rules === 'every-request',
    rules: named
      .filter(({ rule }) => !rule.isDenied)
      .map(({ rule, name }) => ({ matches: rule.matches, rule: { ...name, access: 'Refused' } })),
    denied: named
      .filter(({ rule }) => rule.isDenied)
      .map(({ rule, name }) => ({
        matches: rule.matches,
        rule: { ...name, code: 'policy_invalid', addresses: undefined },
      })),
  };
}

/** A rule all of whose providers are gone answers that it cannot tell, never that nobody asked (promise 1). */
function authenticateBy(providers: readonly IdentityProvider[]): Authenticate {
  return providers.length === 0 ? () => ({ denial: denial('provider_unavailable') }) : compileAuthentication(providers);
}

function isSamePlace(a: CredentialPlace, b: CredentialPlace): boolean {
  const schemeOf = (place: CredentialPlace): string | undefined =>
    place.in === 'header' ? place.scheme?.toLowerCase() : undefined;
  return a.in === b.in && a.name === b.name && schemeOf(a) === schemeOf(b);
}

function addressesOf({ addresses }: Pick<RuleSpec, 'addresses'>): AddressTest | undefined {
  return addresses === undefined ? undefined : compileAddresses(addresses);
}
