import type { Denial } from '../../core/decision.ts';
import type { Identity } from '../../core/identity.ts';
import type { Scope } from '../../expressions/scope.ts';

/** What an authorization is judged on. */
export interface AuthorizationInput {
  readonly identity: Identity;
  /** The protected space, for challenges. */
  readonly realm: string;
  /** Seconds since the epoch. */
  readonly now: number;
  /** What conditions see; called where there is one. */
  readonly scope: () => Scope;
}

/** Judges whether an identity may; undefined: it may. */
export type AuthorizationTest = (input: AuthorizationInput) => Denial | undefined;
