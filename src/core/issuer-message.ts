import type { IdentitySignals } from './identity.ts';
import type { RevocationTarget } from './revocation.ts';

/** What an issuer tells a provider of beside tokens: a logout token (OpenID Connect Back-Channel Logout) or a security event token (RFC 8417). */
export interface IssuerMessage {
  readonly kind: 'logout' | 'events';
  readonly token: string;
  /** The Authorization header of the delivery. */
  readonly authorization: string | undefined;
}

/** What a message says, or why it is not taken. */
export type Receipt =
  | {
      readonly kind: 'understood';
      /** Of a fixed set, for metrics: `logout`, `session-revoked`; `unknown` for what nobody here knows. */
      readonly events: readonly string[];
      readonly revocations: readonly IssuerRevocation[];
      readonly signals: readonly IssuerSignal[];
      /** What a verification event asks to be told again, for the log. */
      readonly state: string | undefined;
      /** The id of a message that may come only once; undefined: it may come again. */
      readonly onlyOnce: string | undefined;
    }
  | ReceiptRefusal;

export interface ReceiptRefusal {
  readonly kind: 'refused';
  readonly error: ReceiptError;
  /** One sentence without anything out of the message. */
  readonly description: string;
}

/** Those of RFC 8935 section 2.4, and two of ours: there is no such receiver, and it cannot judge now. */
export type ReceiptError =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed'
  | 'not_found'
  | 'unavailable';

/** Somebody, as the issuer of a provider names them. */
export interface IssuerTarget {
  readonly target: RevocationTarget;
  readonly value: string;
}

export interface IssuerRevocation extends IssuerTarget {
  /** Seconds since the epoch; undefined: whenever issued. */
  readonly issuedBefore: number | undefined;
}

export interface IssuerSignal extends IssuerTarget {
  readonly facts: IdentitySignals;
  readonly at: number;
}
