import type { HostConflict } from '../core/status.ts';
import { areGranted, isClaimable, type GrantSetting } from '../policy/check-hosts.ts';
import { hostConflict, oldestClaim, type AgedClaim, type ClaimsAt } from '../policy/host-age.ts';
import { orNothing, type RefusedPolicy } from '../policy/salvage-policy.ts';
import type { AccessPolicySpec } from '../policy/spec.ts';
import type { Steps } from '../std/steps.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { claimedHosts, isAged, toAgedClaim } from './claims.ts';
import type { EntryChanges, EntryIndex } from './entry-index.ts';

/**
 * Gives every policy with an age the hosts that are its own (S10), and lists the others as conflicts: to the entries of the change, and to
 * those beside them that win or lose a host by it, which join the change.
 */
export function* shareHosts(
  entries: Map<string, CatalogEntry | undefined>,
  index: EntryIndex,
  grants: GrantSetting,
): Steps<void> {
  const before = claimsOfIndex(index);
  const now = yield* claimsNow(entries, index, grants);
  for (const [key, entry] of entries) {
    if (entry !== undefined) entries.set(key, withOwnHosts(entry, grants, now));
    yield;
  }
  if (areGranted(grants)) return;
  for (const pattern of yield* changedPatterns(entries, index)) {
    yield;
    if (!isClaimable(grants, pattern)) continue;
    if (isSameClaim(oldestClaim(before, pattern), oldestClaim(now, pattern))) continue;
    for (const key of index.claimantsAtOrBelow(pattern)) {
      const entry = entries.has(key) ? undefined : index.entry(key);
      if (entry !== undefined && isAged(entry)) entries.set(key, withOwnHosts(entry, grants, now));
      yield;
    }
  }
}

function claimsOfIndex(index: EntryIndex): ClaimsAt {
  return function* (pattern) {
    for (const key of index.claimants(pattern)) {
      const entry = index.entry(key);
      if (entry !== undefined) yield toAgedClaim(entry);
    }
  };
}

/** The claims of the entries of the change, and of all others. */
function* claimsNow(entries: EntryChanges, index: EntryIndex, grants: GrantSetting): Steps<ClaimsAt> {
  const changed = new Map<string, AgedClaim[]>();
  const keys = new Set(entries.keys());
  for (const entry of entries.values()) {
    if (entry === undefined) continue;
    for (const pattern of claimedHosts(entry)) {
      if (!isClaimable(grants, pattern)) continue;
      const known = changed.get(pattern);
      if (known === undefined) changed.set(pattern, [toAgedClaim(entry)]);
      else known.push(toAgedClaim(entry));
    }
    yield;
  }
  return function* (pattern) {
    yield* changed.get(pattern) ?? [];
    for (const key of index.claimants(pattern)) {
      const entry = keys.has(key) ? undefined : index.entry(key);
      if (entry !== undefined) yield toAgedClaim(entry);
    }
  };
}

/** The patterns that an entry claims and did not claim, or not with this age, and the other way round. */
function* changedPatterns(entries: EntryChanges, index: EntryIndex): Steps<ReadonlySet<string>> {
  const patterns = new Set<string>();
  for (const [key, entry] of entries) {
    const old = index.entry(key);
    const [was, is] = [old, entry].map((one) => new Set(one === undefined ? [] : claimedHosts(one)));
    const isSameAge = old !== undefined && entry !== undefined && isSameClaim(toAgedClaim(old), toAgedClaim(entry));
    for (const pattern of was ?? []) if (!isSameAge || is?.has(pattern) === false) patterns.add(pattern);
    for (const pattern of is ?? []) if (!isSameAge || was?.has(pattern) === false) patterns.add(pattern);
    yield;
  }
  return patterns;
}

function isSameClaim(a: AgedClaim | undefined, b: AgedClaim | undefined): boolean {
  return a?.namespace === b?.namespace && a?.name === b?.name && a?.createdAt === b?.createdAt;
}

/** The entry with its own hosts; the same object where they are those it has. */
function withOwnHosts(entry: CatalogEntry, grants: GrantSetting, claims: ClaimsAt): CatalogEntry {
  const { inForce, lastGood, refused } = entry;
  if (!isAged(entry)) return entry;
  const conflicts = new Map<string, HostConflict>();
  const isOwn = (namespace: string) => (host: string) => {
    const conflict = hostConflict(grants, claims, namespace, host);
    if (conflict !== undefined) conflicts.set(host, conflict);
    return conflict === undefined;
  };
  // What the newest version asks for is told in status, whether it serves or not.
  const asked = refused?.policy?.kind === 'AccessPolicy' ? refused.policy : undefined;
  const own = asked?.hosts.filter(isOwn(asked.namespace)) ?? [];
  const serves =
    inForce === undefined || lastGood?.kind !== 'AccessPolicy' || lastGood.mode === 'Shadow'
      ? inForce
      : withHosts(lastGood, inForce, lastGood.hosts.filter(isOwn(lastGood.namespace)));
  const denying = inForce === undefined ? toDenying(refused?.policy, own) : undefined;
  const found = [...conflicts.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
  const isSame = serves === inForce && isSameJson(denying, entry.denying) && isSameJson(found, entry.conflicts);
  return isSame ? entry : { ...entry, inForce: serves, denying, conflicts: found };
}

/** The policy with these of its hosts; `known` where it has them already. */
function withHosts(
  whole: AccessPolicySpec,
  known: CatalogEntry['inForce'],
  hosts: readonly string[],
): CatalogEntry['inForce'] {
  if (hosts.length === whole.hosts.length) return whole;
  const next = { ...whole, hosts };
  return isSameJson(known, next) ? known : next;
}

function toDenying(policy: RefusedPolicy | undefined, own: readonly string[]): RefusedPolicy | undefined {
  if (policy === undefined || policy.kind === 'ClusterAccessPolicy') return policy;
  return orNothing({ ...policy, hosts: own });
}

function isSameJson(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
