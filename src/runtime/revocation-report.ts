import type { JsonObject } from '../core/json.ts';

/** What became of a call for revocations. */
export type RevocationReport =
  | {
      readonly kind: 'revoked';
      readonly revoked: number;
      /** `local`: the process that was asked, alone. */
      readonly scope: 'local' | 'shared';
      readonly note: string;
      /** When it ends by itself, ISO 8601; empty where the service does not say. */
      readonly until: string;
      /** Why it may not mean what was meant. */
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'refused'; readonly status: number; readonly error: string; readonly message: string };

export interface RevokeOptions {
  /** `HOST:PORT` of the admin address. */
  readonly address: string;
  /** The admin token. */
  readonly token: string;
  readonly timeoutMs: number;
}

/** Asks a running service to refuse what the entry names. Throws a Failure (`unreachable`, `no_answer`) where it does not answer. */
export type RevokeTokens = (entry: JsonObject, options: RevokeOptions) => Promise<RevocationReport>;
