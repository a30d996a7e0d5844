import type { PasswordHash } from '../core/password-hash.ts';

/** What a thread is asked, one after the other. */
export interface PasswordTask {
  readonly hash: PasswordHash;
  readonly password: string;
}

/** What it answers; `failed` holds nothing of the hash or the password. */
export type PasswordAnswer = { readonly matches: boolean } | { readonly failed: string };
