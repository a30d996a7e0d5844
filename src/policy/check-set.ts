import type { Problem } from '../core/problem.ts';
import type { Steps } from '../std/steps.ts';
import {
  compileHostOwnership,
  gatherHostClaims,
  type GrantSetting,
  type HostClaim,
  type HostClaims,
  type HostVerdict,
} from './check-hosts.ts';
import { createProblemList, type ProblemList } from './problem-list.ts';
import { orNothing, type RefusedPolicy } from './salvage-policy.ts';
import type { AccessPolicySpec, AuthorDocument } from './spec.ts';

/** One accepted document beside the others of its set. */
export interface SetMember<T> {
  readonly key: string;
  readonly spec: T;
  readonly document: AuthorDocument;
}

export interface HostSet {
  readonly policies: readonly SetMember<AccessPolicySpec>[];
  /** Those of which nothing is in force. */
  readonly refusedPolicies: readonly RefusedPolicy[];
  readonly grants: GrantSetting;
  /** The claims that are held already: who was there first. */
  readonly held: HostClaims;
}

export interface HostReport {
  /** Problems by the key of the policy they refuse. */
  readonly problems: ReadonlyMap<string, readonly Problem[]>;
  /** A refused policy with the hosts on which it may deny: it takes nothing from another owner (S4). Undefined where there are none. */
  readonly mayDeny: (policy: RefusedPolicy) => RefusedPolicy | undefined;
  /** Whose a host is that a policy in shadow mode names, which claims none itself. */
  readonly ownership: (claim: HostClaim) => HostVerdict;
}

/**
 * Who owns which host among documents without an age (S10): a policy that names one of somebody else is refused. Not so one in shadow mode:
 * an edit that takes a policy out of force would be refused with it, and the policy would stay.
 */
export function* checkHostSet({ policies, refusedPolicies, grants, held }: HostSet): Steps<HostReport> {
  const enforced = policies.filter(({ spec }) => spec.mode === 'Enforce');
  const refused = refusedPolicies.filter(({ kind }) => kind === 'AccessPolicy');
  const claimed = gatherHostClaims(grants);
  for (const policy of [...enforced.map(({ spec }) => spec), ...refused]) {
    for (const claim of claimsOf(policy)) claimed.add(claim);
    yield;
  }
  const ownership = compileHostOwnership(grants, claimed, held);
  const problems = new Map<string, readonly Problem[]>();
  for (const { key, spec, document } of enforced) {
    const found = createProblemList(document, []);
    checkHosts(spec, ownership, found);
    if (found.all.length > 0) problems.set(key, found.all);
    yield;
  }
  return { problems, mayDeny: (policy) => mayDeny(policy, ownership), ownership };
}

function mayDeny(policy: RefusedPolicy, ownership: (claim: HostClaim) => HostVerdict): RefusedPolicy | undefined {
  if (policy.kind === 'ClusterAccessPolicy') return policy;
  const isTheirs = (verdict: HostVerdict): boolean =>
    verdict.kind === 'owned' || (verdict.kind === 'conflict' && !verdict.isHeld);
  const hosts = policy.hosts.filter((pattern) => isTheirs(ownership({ namespace: policy.namespace, pattern })));
  return orNothing({ ...policy, hosts });
}

export function claimsOf(policy: { readonly namespace: string; readonly hosts: readonly string[] }): HostClaim[] {
  return policy.hosts.map((pattern) => ({ namespace: policy.namespace, pattern }));
}

function checkHosts(spec: AccessPolicySpec, ownership: (claim: HostClaim) => HostVerdict, problems: ProblemList): void {
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
