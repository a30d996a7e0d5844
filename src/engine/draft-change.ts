import { areGranted, isClaimable, type GrantSetting } from '../policy/check-hosts.ts';
import { placesOf } from '../policy/providers/credential-forms.ts';
import { widerPatterns } from '../policy/read-host.ts';
import type { IdentityProviderSpec } from '../policy/provider-spec.ts';
import type { Steps } from '../std/steps.ts';
import { isPolicy, toEntry, type CatalogEntry, type DocumentVersions } from './catalog-entry.ts';
import { claimedHosts, isAged, nameOf, shadowHosts } from './claims.ts';
import type { EntryIndex } from './entry-index.ts';

/** An entry as it would be by itself, beside what it was. */
export interface Draft {
  readonly key: string;
  readonly before: CatalogEntry | undefined;
  /** Undefined: it is gone. */
  readonly candidate: CatalogEntry | undefined;
}

export type Drafts = ReadonlyMap<string, Draft>;

/** Drafts of the changed entries, and of all others whose standing they can change: a change is judged within these alone. */
export function* draftChange(
  changed: ReadonlyMap<string, DocumentVersions>,
  index: EntryIndex,
  grants: GrantSetting,
): Steps<Drafts> {
  const drafts = new Map<string, Draft>();
  const draft = (key: string, now: DocumentVersions): void => {
    const before = index.entry(key);
    drafts.set(key, { key, before, candidate: now.versions.length === 0 ? undefined : toEntry(key, now, before) });
  };
  const draftAgain = (key: string): void => {
    const entry = drafts.has(key) ? undefined : index.entry(key);
    if (entry !== undefined) draft(key, entry);
  };
  for (const [key, now] of changed) {
    draft(key, now);
    yield;
  }
  const ofChanged = [...drafts.values()];
  for (const { key, before, candidate } of ofChanged) {
    if (providerStanding(before) === providerStanding(candidate)) continue;
    for (const user of index.usersOf(key)) {
      draftAgain(user);
      yield;
    }
  }
  // Where the operator grants hosts, no policy changes another one's standing.
  if (areGranted(grants)) return drafts;
  // A map tells those that are added to it while it is read, and so the rivals of rivals are found.
  for (const one of drafts.values()) {
    for (const rival of rivalsOf(one, index, grants)) draftAgain(rival);
    yield;
  }
  return drafts;
}

/** What policies see of a provider; the same text: nothing changes for them. */
function providerStanding(entry: CatalogEntry | undefined): string {
  if (entry === undefined) return 'gone';
  const { inForce } = entry;
  return inForce === undefined ? 'refused' : isPolicy(inForce) ? '' : credentialsOf(inForce);
}

/** What decides whether it may stand beside another provider. */
function credentialsOf(spec: IdentityProviderSpec): string {
  return JSON.stringify([spec.type, spec.type === 'JWT' ? spec.issuer : '', placesOf(spec)]);
}

/**
 * Those without an age whose standing depends on the hosts of the entry: policies of other namespaces whose hosts overlap, and refused ones
 * of its own namespace that hold on to a host that it gives up (S10). For one in shadow mode, on which nobody's standing depends, those that
 * its own depends on.
 */
function* rivalsOf({ before, candidate }: Draft, index: EntryIndex, grants: GrantSetting): Iterable<string> {
  const any = candidate ?? before;
  if (any === undefined || isAged(any)) return;
  const { namespace } = nameOf(any);
  const hostsBy = (of: (entry: CatalogEntry) => readonly string[]): ReadonlySet<string> =>
    new Set([before, candidate].flatMap((entry) => (entry === undefined ? [] : of(entry))));
  const claimed = hostsBy(claimedHosts);
  for (const pattern of new Set([...claimed, ...hostsBy(shadowHosts)])) {
    if (!isClaimable(grants, pattern)) continue;
    const isHeld = before?.holds.includes(pattern) === true;
    for (const key of overlapping(pattern, claimed.has(pattern), index)) {
      const entry = index.entry(key);
      if (entry === undefined || isAged(entry)) continue;
      if (nameOf(entry).namespace !== namespace || (isHeld && entry.refused !== undefined)) yield key;
    }
  }
}

function* overlapping(pattern: string, isClaimed: boolean, index: EntryIndex): Iterable<string> {
  yield* index.claimantsAtOrBelow(pattern);
  for (const wide of widerPatterns(pattern)) yield* index.claimants(wide);
  if (!isClaimed) return;
  yield* index.shadowsAtOrBelow(pattern);
  for (const wide of widerPatterns(pattern)) yield* index.shadowsAt(wide);
}
