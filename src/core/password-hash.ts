/** The hash of a password, its parameters read and within bounds. Plain data that can be sent to a thread. */
export type PasswordHash = BcryptHash | Argon2Hash | ScryptHash;

export interface BcryptHash {
  readonly kind: 'bcrypt';
  /** The whole of it, as it was written: `$2b$12$…`. */
  readonly text: string;
  /** The logarithm of the rounds. */
  readonly cost: number;
}

/** RFC 9106, version 0x13. */
export interface Argon2Hash {
  readonly kind: 'argon2';
  readonly variant: 'argon2d' | 'argon2i' | 'argon2id';
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

/** RFC 7914. */
export interface ScryptHash {
  readonly kind: 'scrypt';
  /** The logarithm of N. */
  readonly logCost: number;
  readonly blockSize: number;
  readonly parallelism: number;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}
