import type { HostConflict } from '../core/status.ts';
import { areGranted, isClaimable, type GrantSetting } from '../policy/check-hosts.ts';
import { hostConflict, isOlder, oldestClaim, type AgedClaim, type ClaimsAt } from '../policy/host-age.ts';
import { orNothing, type RefusedPolicy } from '../policy/salvage-policy.ts';
import type { AccessPolicySpec } from '../policy/spec.ts';
import type { Steps } from '../std/steps.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { claimedHosts, isAged, toAgedClaim } from './claims.ts';
import type { EntryChanges, EntryIndex } from './entry-index.ts';
import { isSameJson, sortConflicts, withHosts } from './with-hosts.ts';

/**
 * Gives every policy with an age the hosts that are its own (S10), and lists the others as conflicts: to the entries of the change, and to
 * those beside them that win or lose a host by it, which join the change. One in shadow mode has those that it could have if it were
 * enforced: it claims nothing, so whoever enforces a policy there owns them.
 */
export function* shareHosts(
  entries: Map<string, CatalogEntry | undefined>,
  index: EntryIndex,
  grants: GrantSetting,
): Steps<void> {
  const before = claimsOfIndex(index);
  const now = yield* claimsNow(entries, index, grants);
  for (const [key, entry] of entries) {
    if (entry !== undefined) entries.set(key, yield* withOwnHosts(entry, grants, now));
    yield;
  }
  if (areGranted(grants)) return;
  const judged = new Set<string>(entries.keys());
  for (const pattern of yield* changedPatterns(entries, index)) {
    yield;
    if (!isClaimable(grants, pattern)) continue;
    const passedOn = yield* passedOnAt(pattern, { before, now }, index);
    for (const key of namingAnyOf(passedOn, index)) {
      const entry = judged.has(key) ? undefined : index.entry(key);
      judged.add(key);
      if (entry !== undefined && isAged(entry)) {
        const next = yield* withOwnHosts(entry, grants, now);
        if (next !== entry) entries.set(key, next);
      }
      yield;
    }
  }
}

/** A pattern whose claims changed where another namespace owns it now, and with it what is below; else those below it of which that is so. */
function* passedOnAt(
  pattern: string,
  { before, now }: { readonly before: ClaimsAt; readonly now: ClaimsAt },
  index: EntryIndex,
): Steps<readonly string[]> {
  const [was, is] = [oldestClaim(before, pattern), oldestClaim(now, pattern)];
  // Whichever of its policies is the oldest, it is the namespace that owns.
  if (was?.namespace !== is?.namespace) return [pattern];
  // Since when only counts beside the claims of others below.
  if (was?.createdAt === is?.createdAt) return [];
  const passedOn: string[] = [];
  for (const below of index.claimedAtOrBelow(pattern)) {
    if (oldestClaim(before, below)?.namespace !== oldestClaim(now, below)?.namespace) passedOn.push(below);
    yield;
  }
  return passedOn;
}

/** All who name one of the patterns or anything that it covers. */
function* namingAnyOf(patterns: readonly string[], index: EntryIndex): Iterable<string> {
  for (const pattern of patterns) {
    yield* index.claimantsAtOrBelow(pattern);
    yield* index.shadowsAtOrBelow(pattern);
  }
}

/** Of all who claim a pattern the oldest alone: nobody asks for another one. */
function claimsOfIndex(index: EntryIndex): ClaimsAt {
  return (pattern) => index.agedClaims(pattern).slice(0, 1);
}

/** The claims of the entries of the change, and of all others. */
function* claimsNow(entries: EntryChanges, index: EntryIndex, grants: GrantSetting): Steps<ClaimsAt> {
  const changed = new Map<string, AgedClaim>();
  const oldest = new Map<string, readonly AgedClaim[]>();
  for (const entry of entries.values()) {
    const claim = entry && toAgedClaim(entry);
    for (const pattern of entry === undefined ? [] : claimedHosts(entry)) {
      const known = changed.get(pattern);
      if (claim === undefined || !isClaimable(grants, pattern)) continue;
      if (known === undefined || isOlder(claim, known)) changed.set(pattern, claim);
    }
    yield;
  }
  const keys = new Set(entries.keys());
  return (pattern) => {
    const known = oldest.get(pattern);
    if (known !== undefined) return known;
    const others = index.agedClaims(pattern).find(({ key }) => !keys.has(key));
    const found = [changed.get(pattern), others].flatMap((claim) => claim ?? []);
    oldest.set(pattern, found);
    return found;
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
function* withOwnHosts(entry: CatalogEntry, grants: GrantSetting, claims: ClaimsAt): Steps<CatalogEntry> {
  const { inForce, lastGood, refused } = entry;
  if (!isAged(entry)) return entry;
  const conflicts = new Map<string, HostConflict>();
  function* ownOf({ namespace, hosts }: Pick<AccessPolicySpec, 'namespace' | 'hosts'>): Steps<readonly string[]> {
    const own: string[] = [];
    for (const host of hosts) {
      const conflict = hostConflict(grants, claims, namespace, host);
      if (conflict === undefined) own.push(host);
      else conflicts.set(host, conflict);
      yield;
    }
    return own;
  }
  // What the newest version asks for is told in status, whether it serves or not.
  const asked = refused?.policy?.kind === 'AccessPolicy' ? refused.policy : undefined;
  const own = asked === undefined ? [] : yield* ownOf(asked);
  const serves =
    inForce === undefined || lastGood?.kind !== 'AccessPolicy'
      ? inForce
      : withHosts(lastGood, inForce, yield* ownOf(lastGood));
  const denying = inForce === undefined ? toDenying(refused?.policy, own) : undefined;
  const found = sortConflicts(conflicts.values());
  const isSame = serves === inForce && isSameJson(denying, entry.denying) && isSameJson(found, entry.conflicts);
  return isSame ? entry : { ...entry, inForce: serves, denying, conflicts: found };
}

function toDenying(policy: RefusedPolicy | undefined, own: readonly string[]): RefusedPolicy | undefined {
  if (policy === undefined || policy.kind === 'ClusterAccessPolicy') return policy;
  return orNothing({ ...policy, hosts: own });
}
