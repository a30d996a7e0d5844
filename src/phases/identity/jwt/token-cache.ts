import type { Identity } from '../../../core/identity.ts';
import { createBoundedCache } from '../../../std/bounded-cache.ts';
import type { Deadline } from '../../../std/deadline.ts';
import { ownCopy } from '../../../std/own-copy.ts';

/** A token whose signature and claims were found right, and what can still end it. Times in seconds since the epoch. */
export interface VerifiedToken {
  readonly identity: Identity;
  /** Of the key that verified it (KeySet.fingerprints). */
  readonly keyFingerprint: string;
  readonly expiresAt: number;
  readonly notBefore: number | undefined;
  /** Where it is remembered for a while only. */
  readonly goodUntil?: Deadline;
}

/** Verified tokens of all providers, within one bound. */
export interface TokenCache {
  /** A part of the cache that no other provider, and no other generation of the same provider, can see into. */
  forProvider(): ProviderTokens;
  readonly entries: number;
  readonly bytes: number;
}

export interface ProviderTokens {
  get(token: string): VerifiedToken | undefined;
  /** `bytes` is about what it takes; absent, it is estimated by the token. */
  set(token: string, verified: VerifiedToken, bytes?: number): void;
  delete(token: string): void;
  /** Forgets every token that a key other than these verified. */
  keepOnly(fingerprints: ReadonlySet<string>): void;
  close(): void;
}

interface Entry extends VerifiedToken {
  readonly generation: number;
  readonly token: string;
}

/** Characters of a token's end that its entry is found by: most of its signature, so that tokens do not share them. */
const keyLength = 64;

/**
 * Found by generation and the token's end, which is cheaper than to hash the whole, and then compared whole, so that no token can be
 * answered with the verdict on another. What is kept is copied: a token is cut out of a message that would stay in memory with it.
 */
export function createTokenCache(limits: { readonly maxEntries: number; readonly maxBytes: number }): TokenCache {
  const cache = createBoundedCache<Entry>(limits);
  let generations = 0;
  return {
    forProvider() {
      const generation = ++generations;
      const keyOf = (token: string): string => `${generation} ${token.slice(-keyLength)}`;
      const find = (token: string): Entry | undefined => {
        const entry = cache.get(keyOf(token));
        return entry?.token === token ? entry : undefined;
      };
      return {
        get: find,
        set: (token, verified, bytes = estimateBytes(token)) => {
          cache.set(keyOf(token), { ...verified, generation, token: ownCopy(token) }, bytes);
        },
        delete: (token) => {
          if (find(token) !== undefined) cache.delete(keyOf(token));
        },
        keepOnly: (fingerprints) => {
          cache.deleteWhere((entry) => entry.generation === generation && !fingerprints.has(entry.keyFingerprint));
        },
        close: () => {
          cache.deleteWhere((entry) => entry.generation === generation);
        },
      };
    },
    get entries() {
      return cache.entries;
    },
    get bytes() {
      return cache.bytes;
    },
  };
}

/** The token, and the claims as objects, which take some three times their text. */
function estimateBytes(token: string): number {
  return token.length * 4 + 600;
}
