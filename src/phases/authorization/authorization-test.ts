import type { Denial } from '../../core/decision.ts';
import type { Identity } from '../../core/identity.ts';

/** What an authorization is judged on. */
export interface AuthorizationInput {
  readonly identity: Identity;
  /** The protected space, for challenges. */
  readonly realm: string;
  /** Seconds since the epoch. */
  readonly now: number;
}

/** Judges whether an identity may; undefined: it may. */
export type AuthorizationTest = (input: AuthorizationInput) => Denial | undefined;
