import { argon2Sync, scryptSync, timingSafeEqual } from 'node:crypto';
import { compareSync } from 'bcryptjs';
import type { PasswordHash } from '../core/password-hash.ts';

/** Room for what scrypt needs beside its block of 128 · N · r bytes. */
const scryptSlack = 1024 * 1024;

/** True where the password is that of the hash. Takes as long as the hash asks for: call it in a thread of its own. */
export function computeMatch(hash: PasswordHash, password: string): boolean {
  switch (hash.kind) {
    case 'bcrypt':
      return compareSync(password, hash.text);
    case 'argon2': {
      const { variant, memory, passes, lanes: parallelism, salt: nonce, tag } = hash;
      const settings = { message: password, nonce, parallelism, tagLength: tag.length, memory, passes };
      return timingSafeEqual(argon2Sync(variant, settings), tag);
    }
    case 'scrypt': {
      const { blockSize: r, parallelism: p, salt, tag } = hash;
      const N = 2 ** hash.logCost;
      return timingSafeEqual(
        scryptSync(password, salt, tag.length, { N, r, p, maxmem: 128 * N * r + 256 * r * p + scryptSlack }),
        tag,
      );
    }
  }
}
