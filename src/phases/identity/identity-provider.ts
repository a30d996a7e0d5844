import type { Denial } from '../../core/decision.ts';
import type { Identity } from '../../core/identity.ts';
import type { CredentialPlace, IdentityProviderSpec } from '../../policy/spec.ts';

/** One configured provider at work: it has a life-time, and is replaced as a whole when its document changes. */
export interface IdentityProvider {
  readonly spec: IdentityProviderSpec;
  readonly places: readonly CredentialPlace[];
  /** Judges one token. At once where the token is known, a promise where keys or cryptography are waited for; never rejects. */
  verify(token: string): VerifyResult | Promise<VerifyResult>;
  /** Resolves when its keys were tried for the first time, well or not. */
  readonly firstLoad: Promise<void>;
  status(): ProviderStatus;
  close(): void;
}

export type VerifyResult = { readonly identity: Identity } | { readonly denial: Denial };

export interface ProviderStatus {
  readonly keys: number;
  /** Seconds since the keys in use were fetched; undefined where there are none or they do not age. */
  readonly keyAgeSeconds: number | undefined;
  /** Why the last fetch failed, or which keys were left out; undefined where all is well. Holds no secret. */
  readonly lastError: string | undefined;
}
