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
  /** Neither `nbf` nor `iat` may be in the future (`beginningOf`). */
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
  /** Forgets every token of it for which `test` is false. Linear in the number of its own tokens. */
  keepWhere(test: (verified: VerifiedToken) => boolean): void;
  close(): void;
}

interface Entry extends VerifiedToken {
  /** All tokens of the provider that it is of, by their keys here. */
  readonly own: Map<string, Entry>;
  readonly token: string;
}

/** Characters of a token's end that its entry is found by: most of its signature, so that tokens do not share them. */
const keyLength = 64;

/**
 * Found by generation and the token's end, which is cheaper than to hash the whole, and then compared whole, so that no token can be
 * answered with the verdict on another. What is kept is copied: a token is cut out of a message that would stay in memory with it.
 */
export function createTokenCache(limits: { readonly maxEntries: number; readonly maxBytes: number }): TokenCache {
  const cache = createBoundedCache<Entry>({ ...limits, onGone: (entry, key) => entry.own.delete(key) });
  let generations = 0;
  return {
    forProvider() {
      const generation = ++generations;
      const own = new Map<string, Entry>();
      const keyOf = (token: string): string => `${generation} ${token.slice(-keyLength)}`;
      const find = (token: string): Entry | undefined => {
        const entry = cache.get(keyOf(token));
        return entry?.token === token ? entry : undefined;
      };
      return {
        get: find,
        set: (token, verified, bytes = estimateBytes(token)) => {
          const entry: Entry = { ...verified, own, token: ownCopy(token) };
          const key = keyOf(entry.token);
          cache.set(key, entry, bytes);
          // One that is too large is not kept.
          if (cache.get(key) === entry) own.set(key, entry);
        },
        delete: (token) => {
          if (find(token) !== undefined) cache.delete(keyOf(token));
        },
        keepWhere: (test) => {
          for (const [key, entry] of own) if (!test(entry)) cache.delete(key);
        },
        close: () => {
          for (const key of own.keys()) cache.delete(key);
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
