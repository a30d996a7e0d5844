import { isClaimable, type GrantSetting } from '../policy/check-hosts.ts';
import { specKey } from '../policy/spec.ts';
import { createMultiMap } from '../std/multi-map.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { acceptedPolicy, claimedHosts } from './claims.ts';
import { createPatternIndex } from './pattern-index.ts';

/** Entries, and which of them a change can touch. All answers are keys of entries. */
export interface EntryIndex {
  entry(key: string): CatalogEntry | undefined;
  /** Those that claim exactly the pattern. */
  claimants(pattern: string): Iterable<string>;
  /** Those that claim the pattern or anything that it covers. */
  claimantsAtOrBelow(pattern: string): Iterable<string>;
  /** Policies that name the provider, in the version that serves or in the newest. */
  usersOf(provider: string): Iterable<string>;
  /** Policies in shadow mode on the pattern or on anything that it covers. */
  shadowsAtOrBelow(pattern: string): Iterable<string>;
}

/** What became of entries; undefined: they are gone. */
export type EntryChanges = ReadonlyMap<string, CatalogEntry | undefined>;

/** An index that is kept up to date, change by change, at the cost of the change. */
export interface LiveIndex extends EntryIndex {
  readonly entries: ReadonlyMap<string, CatalogEntry>;
  commit(changes: EntryChanges): void;
}

export function createEntryIndex(grants: GrantSetting): LiveIndex {
  const entries = new Map<string, CatalogEntry>();
  const claims = createPatternIndex();
  const shadows = createPatternIndex();
  const users = createMultiMap();
  const update = (entry: CatalogEntry, how: 'add' | 'delete'): void => {
    const { key } = entry;
    for (const pattern of claimedHosts(entry)) if (isClaimable(grants, pattern)) claims[how](pattern, key);
    for (const pattern of shadowHosts(entry)) shadows[how](pattern, key);
    for (const provider of namedProviders(entry)) users[how](provider, key);
  };
  return {
    entries,
    entry: (key) => entries.get(key),
    claimants: (pattern) => claims.at(pattern),
    claimantsAtOrBelow: (pattern) => claims.atOrBelow(pattern),
    usersOf: (provider) => users.get(provider),
    shadowsAtOrBelow: (pattern) => shadows.atOrBelow(pattern),
    commit: (changes) => {
      for (const [key, entry] of changes) {
        const before = entries.get(key);
        if (before !== undefined) update(before, 'delete');
        if (entry === undefined) entries.delete(key);
        else {
          update(entry, 'add');
          entries.set(key, entry);
        }
      }
    },
  };
}

/** The hosts of an accepted policy in shadow mode. */
export function shadowHosts(entry: CatalogEntry): readonly string[] {
  const policy = acceptedPolicy(entry);
  return policy?.mode === 'Shadow' ? policy.hosts : [];
}

function namedProviders({ lastGood, versions }: CatalogEntry): Set<string> {
  const specs = [lastGood, ...versions.map(({ parsed }) => (parsed.kind === 'accepted' ? parsed.spec : undefined))];
  const policies = specs.flatMap((spec) => (spec?.kind === 'AccessPolicy' ? [spec] : []));
  return new Set(policies.flatMap(({ providers }) => providers.map(specKey)));
}
