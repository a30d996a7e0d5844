/** The limits of the identity phase. Intervals and time-outs are in milliseconds. */
export interface IdentitySettings {
  /** A longer token is refused before anything of it is decoded. */
  readonly maxTokenBytes: number;
  readonly tokenCacheEntries: number;
  readonly tokenCacheBytes: number;
  /** Used DPoP proofs that are remembered in memory; where that many are, further ones are denied. */
  readonly dpopReplayEntries: number;
  /** How often keys are fetched anew in the background. */
  readonly refreshIntervalMs: number;
  /** How long keys stay in force after the last successful fetch. */
  readonly staleWindowMs: number;
  /** Between two fetches that requests cause (an unknown key id); failures count. */
  readonly minFetchIntervalMs: number;
  /** For one fetch of the keys, discovery included. */
  readonly fetchTimeoutMs: number;
  readonly maxJwksBytes: number;
  readonly maxKeys: number;
  /** Right passwords that are remembered, of each provider; 1 at least. */
  readonly passwordCacheEntries: number;
  readonly passwordCacheMs: number;
  /** Passwords of one provider that are computed at the same time, wait for it, or are of one user. */
  readonly passwordsAtOnce: number;
  readonly passwordsWaiting: number;
  readonly passwordsOfOneUser: number;
  readonly passwordWaitMs: number;
  /** How long the API server's word on a token of a service account is taken, never beyond the token's end. 0: it is asked every time. */
  readonly tokenReviewTtlMs: number;
}

export const defaultIdentitySettings: IdentitySettings = {
  maxTokenBytes: 16_384,
  tokenCacheEntries: 10_000,
  tokenCacheBytes: 32 * 1024 * 1024,
  dpopReplayEntries: 200_000,
  refreshIntervalMs: 10 * 60_000,
  staleWindowMs: 24 * 3_600_000,
  minFetchIntervalMs: 30_000,
  fetchTimeoutMs: 5_000,
  maxJwksBytes: 1_000_000,
  maxKeys: 100,
  passwordCacheEntries: 10_000,
  passwordCacheMs: 5 * 60_000,
  passwordsAtOnce: 2,
  passwordsWaiting: 32,
  passwordsOfOneUser: 4,
  passwordWaitMs: 3_000,
  tokenReviewTtlMs: 30_000,
};
