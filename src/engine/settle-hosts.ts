import type { Problem } from '../core/problem.ts';
import type { HostConflict } from '../core/status.ts';
import {
  areGranted,
  gatherHostClaims,
  ownerByGrant,
  type GrantSetting,
  type HostClaims,
} from '../policy/check-hosts.ts';
import { checkHostSet, type HostReport, type SetMember } from '../policy/check-set.ts';
import type { AccessPolicySpec } from '../policy/spec.ts';
import type { Steps } from '../std/steps.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { acceptedPolicy, claimedHosts, enforcedHosts, isAged, nameOf } from './claims.ts';
import type { Draft, Drafts } from './draft-change.ts';
import { sortConflicts, withHosts } from './with-hosts.ts';

/** Who has which host among documents without an age (S10). */
export interface HeldHosts {
  /** Problems by the key of the policy that they refuse. */
  readonly problems: ReadonlyMap<string, readonly Problem[]>;
  /** The entry with what it holds, with the hosts on which it may deny while it is refused, and in shadow mode with those that are its own. */
  settle(entry: CatalogEntry, before: CatalogEntry | undefined): CatalogEntry;
}

/**
 * Holds policies against each other. One that is refused here stays in force as it was, so it keeps the hosts that its new version
 * would have given up: those are held for it, and all are held against each other again until nothing new is refused.
 * `refused` are those that are refused for something else.
 */
export function* settleHosts(
  drafts: Drafts,
  refused: ReadonlyMap<string, unknown>,
  grants: GrantSetting,
): Steps<HeldHosts> {
  const ageless = [...drafts.values()].filter(({ before, candidate }) => isAgeless(candidate ?? before));
  const policies = ageless.flatMap(toMember);
  const refusedPolicies = ageless.flatMap(({ candidate }) =>
    candidate?.inForce === undefined ? (candidate?.refused?.policy ?? []) : [],
  );
  const problems = new Map<string, readonly Problem[]>();
  const staying = new Set(refused.keys());
  const first = yield* holdClaims(ageless, policies, staying, grants);
  for (let held = first; ; held = yield* holdClaims(ageless, policies, staying, grants)) {
    const report = yield* checkHostSet({ policies, refusedPolicies, grants, held });
    const fresh = [...report.problems].filter(([key]) => !problems.has(key));
    for (const [key, found] of fresh) problems.set(key, found);
    const isStable = fresh.every(([key]) => staying.has(key));
    for (const [key] of fresh) staying.add(key);
    if (!isStable) continue;
    // Where the operator grants hosts, nobody has one for having been there first.
    const passedOn = areGranted(grants) ? undefined : yield* givenUp(ageless, staying, first, grants);
    const settle: HeldHosts['settle'] = (entry, before) =>
      isAged(entry) ? entry : withOwnHosts(settleEntry(entry, before, passedOn, report), report, grants);
    return { problems, settle };
  }
}

function isAgeless(entry: CatalogEntry | undefined): boolean {
  return entry !== undefined && !isAged(entry);
}

function toMember({ key, candidate }: Draft): SetMember<AccessPolicySpec>[] {
  const spec = candidate && acceptedPolicy(candidate);
  const document = candidate?.versions[0]?.document;
  return spec === undefined || document === undefined ? [] : [{ key, spec, document }];
}

/** What was held before and still is: what an accepted policy of the namespace claims, and all that a refused one held. */
function* holdClaims(
  drafts: readonly Draft[],
  policies: readonly SetMember<AccessPolicySpec>[],
  staying: ReadonlySet<string>,
  grants: GrantSetting,
): Steps<HostClaims> {
  // By namespace and not by document: a policy under a new name gives nothing up.
  const kept = gatherHostClaims(grants);
  for (const { spec } of policies) {
    for (const pattern of enforcedHosts(spec)) kept.add({ namespace: spec.namespace, pattern });
    yield;
  }
  const held = gatherHostClaims(grants);
  for (const { key, before, candidate } of drafts) {
    if (before === undefined) continue;
    const { namespace } = nameOf(before);
    const stays = candidate !== undefined && (candidate.refused !== undefined || staying.has(key));
    for (const pattern of before.holds) {
      if (stays || kept.exact.get(pattern)?.has(namespace) === true) held.add({ namespace, pattern });
    }
    yield;
  }
  return held;
}

/** Of what was held at first, what the policies that held it do not hold any more. */
function* givenUp(
  drafts: readonly Draft[],
  staying: ReadonlySet<string>,
  held: HostClaims,
  grants: GrantSetting,
): Steps<HostClaims> {
  const found = gatherHostClaims(grants);
  for (const { key, before, candidate } of drafts) {
    if (before === undefined || before.holds.length === 0) continue;
    if (candidate !== undefined && (candidate.refused !== undefined || staying.has(key))) continue;
    const { namespace } = nameOf(before);
    const now = enforcedHosts(candidate?.inForce);
    for (const pattern of before.holds) {
      if (!now.includes(pattern) && held.exact.get(pattern)?.has(namespace) === true) found.add({ namespace, pattern });
    }
    yield;
  }
  return found;
}

function settleEntry(
  entry: CatalogEntry,
  before: CatalogEntry | undefined,
  passedOn: HostClaims | undefined,
  { mayDeny }: HostReport,
): CatalogEntry {
  const { inForce, refused } = entry;
  if (refused === undefined) return { ...entry, holds: passedOn === undefined ? [] : enforcedHosts(inForce) };
  const { namespace } = nameOf(entry);
  // What a policy of the namespace gave up in its favour is not given up, though it is refused.
  const taken = claimedHosts(entry).filter((pattern) => passedOn?.exact.get(pattern)?.has(namespace) === true);
  const holds = [...new Set([...(before?.holds ?? []), ...taken])];
  return { ...entry, holds, denying: inForce === undefined ? refused.policy && mayDeny(refused.policy) : undefined };
}

/** A policy in shadow mode is judged where it could decide if it were enforced; the other hosts that it names are conflicts. */
function withOwnHosts(entry: CatalogEntry, { ownership }: HostReport, grants: GrantSetting): CatalogEntry {
  const { inForce, lastGood } = entry;
  if (inForce === undefined || lastGood?.kind !== 'AccessPolicy' || lastGood.mode !== 'Shadow') return entry;
  const { namespace, hosts } = lastGood;
  const conflicts = hosts.flatMap((host): HostConflict[] => {
    const verdict = ownership({ namespace, pattern: host });
    if (verdict.kind === 'owned') return [];
    return [{ host, owner: verdict.kind === 'conflict' ? verdict.with : ownerByGrant(grants, host) }];
  });
  const own = hosts.filter((host) => !conflicts.some((conflict) => conflict.host === host));
  return { ...entry, inForce: withHosts(lastGood, inForce, own), conflicts: sortConflicts(conflicts) };
}
