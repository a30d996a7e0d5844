import type { IdentitySignals } from './identity.ts';

/**
 * What a revocation names of a credential: the token itself, its session, who it is of, the client that got it. `subWithoutSid` is `sub` for tokens
 * that do not say their session: an issuer that ends one session of somebody must not end the others.
 */
export const revocationTargets = ['jti', 'sid', 'sub', 'subWithoutSid', 'client', 'email'] as const;
export type RevocationTarget = (typeof revocationTargets)[number];

/** Whose credentials are meant. */
export interface RevocationScope {
  /** An `iss`: every provider whose identities are of that issuer; empty where one provider is meant. */
  readonly issuer: string;
  /** With an issuer: only the providers of this namespace; empty: all. */
  readonly namespace: string;
  /** One provider: `shop/okta`, or `okta` of a ClusterIdentityProvider; empty where an issuer is meant. */
  readonly provider: string;
}

/** Credentials that are refused although they verify. */
export interface Revocation {
  readonly scope: RevocationScope;
  readonly target: RevocationTarget;
  readonly value: string;
  /** Seconds since the epoch: only tokens issued before, and credentials that do not say when they were issued. Undefined: all. */
  readonly issuedBefore: number | undefined;
  /** Seconds since the epoch, the latest end of a token that it can concern; undefined: until it is taken out of its list. */
  readonly expiresAt: number | undefined;
}

/** What an issuer says of somebody beside tokens, from one moment on. */
export interface Signal {
  readonly scope: RevocationScope;
  readonly target: RevocationTarget;
  readonly value: string;
  /** What it changes; facts that it does not name stay. */
  readonly facts: IdentitySignals;
  /** Seconds since the epoch: an older signal never overrides a newer one. */
  readonly at: number;
}

/** Where revocations come from, for counts and metrics. */
export const revocationSources = ['admin', 'logout', 'events', 'file', 'configMap', 'shared'] as const;
export type RevocationSource = (typeof revocationSources)[number];

/** What became of revocations that were handed in. */
export type RevocationOutcome =
  /** `shared`: every replica of the store has them within a second; else this process alone. */
  | { readonly kind: 'kept'; readonly isShared: boolean; readonly isWidened: boolean }
  /** Some found no room here, or in what replicas share: they are in force nowhere, or in this process alone. */
  | { readonly kind: 'full' }
  /** In force here, and perhaps not everywhere: the shared store, or a worker, did not take them, and the caller should come again. */
  | { readonly kind: 'not-shared' };

/** What is in force. Holds nothing that names somebody. */
export interface RevocationStatus {
  readonly sources: readonly RevocationSourceStatus[];
  /** Those of whom an issuer signalled something. */
  readonly signals: number;
  /** How often everything of an issuer was revoked because the list was full. */
  readonly widened: number;
}

export interface RevocationSourceStatus {
  readonly source: RevocationSource;
  readonly entries: number;
  /** Why it does not count as read; undefined where all is well. */
  readonly failure: string | undefined;
  /** Entries that cannot be read, in words; undefined where there are none. */
  readonly problem: string | undefined;
}

/** What a list holds, as far as it can be read, and what is wrong with the rest. */
export interface RevocationListReading {
  readonly entries: readonly Revocation[];
  readonly problem: string | undefined;
}

/** A list that is read as a whole, again and again. */
export interface RevocationListHandle {
  /**
   * What the list holds from now on, read step by step so that nobody waits for a long one; resolves when it is in force, after those before it.
   * With a `problem` in it, all that is in force stays so beside what can be read. What is gone from a file has to be gone for a second.
   * `ageMs` ago, where it is said, the list was last found to be so.
   */
  take(reading: Generator<undefined, RevocationListReading, undefined>, ageMs?: number): Promise<void>;
  /** It was found to be as it was. */
  confirm(): void;
  /** It could not be read; what it held stays. */
  fail(why: string): void;
}

/** The revocations of one process. */
export interface RevocationControl {
  add(
    source: 'admin' | 'logout' | 'events',
    revocations: readonly Revocation[],
    signals?: readonly Signal[],
  ): Promise<RevocationOutcome>;
  /** Registers a list, which counts as unreadable until it was read once. */
  openList(source: 'file' | 'configMap'): RevocationListHandle;
  /** Resolves once everything is in force that the shared list holds in this process. */
  whenTaken(): Promise<void>;
  status(): RevocationStatus;
}
