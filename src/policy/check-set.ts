import { isJsonObject, ownMember, type JsonValue } from '../core/json.ts';
import type { Problem, ProblemCode } from '../core/problem.ts';
import { compileHostOwnership, type HostClaim, type GrantSetting, type HostVerdict } from './check-hosts.ts';
import { createProblemList, type FieldPath, type ProblemList } from './problem-list.ts';
import type { RefusedPolicy } from './salvage-policy.ts';
import {
  specKey,
  type AccessPolicySpec,
  type AuthorDocument,
  type IdentityProviderSpec,
  type ProviderRef,
} from './spec.ts';

/** One accepted document beside the others of its set. */
export interface SetMember<T> {
  readonly key: string;
  readonly spec: T;
  readonly document: AuthorDocument;
}

export interface DocumentSet {
  readonly policies: readonly SetMember<AccessPolicySpec>[];
  readonly providers: ReadonlyMap<string, IdentityProviderSpec>;
  /** Keys of providers that exist and were refused. */
  readonly refusedProviders: ReadonlySet<string>;
  readonly refusedPolicies: readonly RefusedPolicy[];
  readonly grants: GrantSetting;
  /** The claims of the snapshot in force: who was there first. */
  readonly inForce: readonly HostClaim[];
}

export interface SetReport {
  /** Problems by the key of the policy they refuse. */
  readonly problems: ReadonlyMap<string, readonly Problem[]>;
  /** A refused policy with the hosts on which it may deny: it takes nothing from another owner (S4). None where there are none. */
  readonly mayDeny: (policy: RefusedPolicy) => readonly RefusedPolicy[];
}

/** What only shows between documents: references, providers that could claim one token, owners of hosts. */
export function checkSet(set: DocumentSet): SetReport {
  const enforced = set.policies.filter(({ spec }) => spec.mode === 'Enforce');
  const refused = set.refusedPolicies.filter(({ kind }) => kind === 'AccessPolicy');
  const claims = [...enforced.map(({ spec }) => spec), ...refused].flatMap(claimsOf);
  const ownership = compileHostOwnership(set.grants, claims, set.inForce);
  const problems = new Map<string, readonly Problem[]>();
  for (const { key, spec, document } of set.policies) {
    const found = createProblemList({ ...document, problems: [] });
    if (spec.mode === 'Enforce') checkHosts(spec, ownership, found);
    checkProviders(spec, document.value, set, found);
    if (found.all.length > 0) problems.set(key, found.all);
  }
  return { problems, mayDeny: (policy) => mayDeny(policy, ownership) };
}

function mayDeny(policy: RefusedPolicy, ownership: (claim: HostClaim) => HostVerdict): RefusedPolicy[] {
  if (policy.kind === 'ClusterAccessPolicy') return [policy];
  const isTheirs = (verdict: HostVerdict): boolean =>
    verdict.kind === 'owned' || (verdict.kind === 'conflict' && !verdict.isHeld);
  const hosts = policy.hosts.filter((pattern) => isTheirs(ownership({ namespace: policy.namespace, pattern })));
  return hosts.length === 0 && policy.attachment !== 'Named' ? [] : [{ ...policy, hosts }];
}

export function claimsOf(policy: { readonly namespace: string; readonly hosts: readonly string[] }): HostClaim[] {
  return policy.hosts.map((pattern) => ({ namespace: policy.namespace, pattern }));
}

function checkHosts(
  spec: AccessPolicySpec,
  ownership: ReturnType<typeof compileHostOwnership>,
  problems: ProblemList,
): void {
  for (const [index, pattern] of spec.hosts.entries()) {
    const verdict = ownership({ namespace: spec.namespace, pattern });
    const at = ['spec', 'hosts', index];
    if (verdict.kind === 'not-granted') {
      problems.error(
        'host-not-granted',
        at,
        `the host ${pattern} is not granted to the namespace ${spec.namespace}: the operator's hostGrants decide`,
      );
    }
    if (verdict.kind === 'conflict') {
      problems.error(
        'host-conflict',
        at,
        `the host ${pattern} is claimed by the namespace ${verdict.with} too: the operator's hostGrants can decide`,
      );
    }
  }
}

function checkProviders(spec: AccessPolicySpec, written: JsonValue, set: DocumentSet, problems: ProblemList): void {
  for (const ref of spec.providers) {
    const key = specKey(ref);
    if (set.providers.has(key)) continue;
    const [code, why]: [ProblemCode, string] = set.refusedProviders.has(key)
      ? ['invalid-reference', 'was refused']
      : ['missing-reference', 'does not exist'];
    const missing = code === 'missing-reference' ? key : undefined;
    problems.error(code, pathOfProvider(written, ref.name), `the ${key} that the policy names ${why}`, missing);
  }
  const reported = new Set<string>();
  for (const [index, { providers }] of spec.rules.entries()) {
    const twin = twoOfOneIssuer(providers, set.providers);
    if (twin === undefined || reported.has(twin)) continue;
    reported.add(twin);
    problems.error(
      'ambiguous-provider',
      ['spec', 'rules', index],
      `two providers of one rule have the issuer ${twin}: a token must have one judge`,
    );
  }
}

/** Where the document names the provider first: at the policy, else at a rule. */
function pathOfProvider(written: JsonValue, name: string): FieldPath {
  const spec = memberOf(written, 'spec');
  const rules = memberOf(spec, 'rules');
  const parts: [FieldPath, JsonValue | undefined][] = [[['spec'], spec]];
  if (Array.isArray(rules)) rules.forEach((rule: JsonValue, index) => parts.push([['spec', 'rules', index], rule]));
  for (const [at, part] of parts) {
    const providers = memberOf(memberOf(part, 'authentication'), 'providers');
    const index = Array.isArray(providers)
      ? providers.findIndex((provider: JsonValue) => memberOf(provider, 'name') === name)
      : -1;
    if (index >= 0) return [...at, 'authentication', 'providers', index];
  }
  return ['spec'];
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? ownMember(value, name) : undefined;
}

function twoOfOneIssuer(
  refs: readonly ProviderRef[],
  providers: ReadonlyMap<string, IdentityProviderSpec>,
): string | undefined {
  const issuers = new Set<string>();
  for (const ref of refs) {
    const issuer = providers.get(specKey(ref))?.issuer;
    if (issuer === undefined) continue;
    if (issuers.has(issuer)) return issuer;
    issuers.add(issuer);
  }
  return undefined;
}
