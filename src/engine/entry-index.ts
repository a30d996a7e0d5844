import { isClaimable, type GrantSetting } from '../policy/check-hosts.ts';
import { specKey } from '../policy/spec-name.ts';
import { createMultiMap, type MultiMap } from '../std/multi-map.ts';
import type { Steps } from '../std/steps.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { createAgedClaims, type AgedClaims, type KeyedClaim } from './aged-claims.ts';
import { claimedHosts, shadowHosts, toAgedClaim } from './claims.ts';
import { createPatternIndex } from './pattern-index.ts';
import { targetedRoutes } from './target-statuses.ts';

/** Entries, and which of them a change can touch. Answers are keys of entries, where nothing else is said. */
export interface EntryIndex {
  entry(key: string): CatalogEntry | undefined;
  /** Those that claim exactly the pattern. */
  claimants(pattern: string): Iterable<string>;
  /** Their claims, the oldest first. */
  agedClaims(pattern: string): readonly KeyedClaim[];
  /** Those that claim the pattern or anything that it covers. */
  claimantsAtOrBelow(pattern: string): Iterable<string>;
  /** The patterns that are claimed: it, and what it covers. */
  claimedAtOrBelow(pattern: string): Iterable<string>;
  /** Policies that name the provider, in the version that serves or in the newest. */
  usersOf(provider: string): Iterable<string>;
  /** Policies in shadow mode that name exactly the pattern, whether it is theirs or not. */
  shadowsAt(pattern: string): Iterable<string>;
  /** Those that name the pattern or anything that it covers. */
  shadowsAtOrBelow(pattern: string): Iterable<string>;
}

/** What became of entries; undefined: they are gone. */
export type EntryChanges = ReadonlyMap<string, CatalogEntry | undefined>;

/** An index that is kept up to date, change by change, at the cost of the change. */
export interface LiveIndex extends EntryIndex {
  readonly entries: ReadonlyMap<string, CatalogEntry>;
  /** Policies that are attached to the route, by its key. */
  attachedTo(route: string): Iterable<string>;
  /** Finds out what to do; what it returns does it. */
  prepare(changes: EntryChanges): Steps<() => void>;
}

export function createEntryIndex(grants: GrantSetting): LiveIndex {
  const entries = new Map<string, CatalogEntry>();
  const claims = createPatternIndex();
  const aged = createAgedClaims();
  const shadows = createPatternIndex();
  const users = createMultiMap();
  const attached = createMultiMap();
  return {
    entries,
    entry: (key) => entries.get(key),
    claimants: (pattern) => claims.at(pattern),
    agedClaims: (pattern) => aged.at(pattern),
    claimantsAtOrBelow: (pattern) => claims.atOrBelow(pattern),
    claimedAtOrBelow: (pattern) => claims.patternsAtOrBelow(pattern),
    usersOf: (provider) => users.get(provider),
    attachedTo: (route) => attached.get(route),
    shadowsAt: (pattern) => shadows.at(pattern),
    shadowsAtOrBelow: (pattern) => shadows.atOrBelow(pattern),
    *prepare(changes) {
      const work: (() => void)[] = [];
      const replace = (
        set: Pick<MultiMap, 'add' | 'delete'>,
        key: string,
        old: readonly string[],
        now: readonly string[],
      ) => {
        if (isSame(old, now)) return;
        work.push(() => {
          for (const place of old) set.delete(place, key);
          for (const place of now) set.add(place, key);
        });
      };
      for (const [key, entry] of changes) {
        const before = entries.get(key);
        work.push(...changeAged(aged, keyedClaims(key, before, grants), keyedClaims(key, entry, grants)));
        replace(claims, key, claimablePatterns(before, grants), claimablePatterns(entry, grants));
        replace(shadows, key, shadowHosts(before), shadowHosts(entry));
        replace(users, key, namedProviders(before), namedProviders(entry));
        replace(attached, key, targetedRoutes(before), targetedRoutes(entry));
        yield;
      }
      return () => {
        for (const one of work) one();
        for (const [key, entry] of changes) {
          if (entry === undefined) entries.delete(key);
          else entries.set(key, entry);
        }
      };
    },
  };
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((text, index) => text === b[index]));
}

interface PatternClaims {
  readonly patterns: readonly string[];
  readonly claim: KeyedClaim | undefined;
}

function keyedClaims(key: string, entry: CatalogEntry | undefined, grants: GrantSetting): PatternClaims {
  const patterns = claimablePatterns(entry, grants);
  return { patterns, claim: entry === undefined || patterns.length === 0 ? undefined : { ...toAgedClaim(entry), key } };
}

function changeAged(aged: AgedClaims, old: PatternClaims, now: PatternClaims): (() => void)[] {
  const isSameClaim =
    old.claim?.createdAt === now.claim?.createdAt &&
    old.claim?.namespace === now.claim?.namespace &&
    old.claim?.name === now.claim?.name;
  if (isSameClaim && isSame(old.patterns, now.patterns)) return [];
  return [
    () => {
      for (const pattern of old.patterns) if (old.claim !== undefined) aged.delete(pattern, old.claim);
      for (const pattern of now.patterns) if (now.claim !== undefined) aged.add(pattern, now.claim);
    },
  ];
}

function claimablePatterns(entry: CatalogEntry | undefined, grants: GrantSetting): readonly string[] {
  return entry === undefined ? none : claimedHosts(entry).filter((pattern) => isClaimable(grants, pattern));
}

const none: readonly string[] = [];

function namedProviders(entry: CatalogEntry | undefined): readonly string[] {
  if (entry === undefined) return none;
  const { lastGood, versions } = entry;
  const specs = [lastGood, ...versions.map(({ parsed }) => (parsed.kind === 'accepted' ? parsed.spec : undefined))];
  const policies = specs.flatMap((spec) => (spec?.kind === 'AccessPolicy' ? [spec] : []));
  return [...new Set(policies.flatMap(({ providers }) => providers.map(specKey)))];
}
