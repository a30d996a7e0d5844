import type { ReasonCode } from './reason.ts';

/** One check of a provider on a token, as `portcullis token` tells it. */
export interface TokenCheck {
  /** `issuer`, `expiry`, `signature`. */
  readonly check: string;
  readonly verdict: 'passed' | 'refused' | 'not-looked-at';
  /** Of a refusal. */
  readonly code: ReasonCode | undefined;
  /** Of a refusal, or why it was not looked at. */
  readonly message: string | undefined;
}
