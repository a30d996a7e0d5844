/** The limits of revocations. Times are in milliseconds. */
export interface RevocationSettings {
  /** Of each source; one namespace has a quarter at most of what issuers report. */
  readonly maxEntries: number;
  /** How long one is kept of which nobody says when the tokens end. */
  readonly retentionMs: number;
  /** How long what an issuer has signalled of somebody holds, where it signals nothing else; whether an account is disabled holds for good. */
  readonly signalRetentionMs: number;
  /** How long a list may go without being read before it counts as unreadable. */
  readonly graceMs: number;
  /** What becomes of credentials while a list cannot be read. */
  readonly whenUnavailable: 'Deny' | 'Ignore';
}

export const defaultRevocationSettings: RevocationSettings = {
  maxEntries: 100_000,
  retentionMs: 48 * 3_600_000,
  signalRetentionMs: 720 * 3_600_000,
  graceMs: 10 * 60_000,
  whenUnavailable: 'Deny',
};
