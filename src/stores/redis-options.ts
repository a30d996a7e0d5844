import type { RedisAddress } from '../std/redis-url.ts';

export interface RedisOptions {
  readonly address: RedisAddress;
  /** Empty: the default user. */
  readonly username: string;
  /** Read for each connection, so that a new password is taken from then on; undefined: no password. */
  readonly passwordFile: string | undefined;
  /** PEM certificates to trust instead of the system's; read for each connection, which is not made where there is none in it. */
  readonly caFile: string | undefined;
  /** How long one command may take, milliseconds. */
  readonly timeoutMs: number;
}
