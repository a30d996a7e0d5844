import { argon2Sync, scryptSync } from 'node:crypto';
import { hashSync } from 'bcryptjs';

export const hashTypes = ['bcrypt', 'argon2id', 'scrypt'] as const;
export type HashType = (typeof hashTypes)[number];

/** A hash of the password as a line of an htpasswd file has it, strong enough not to be told to be weak; bcrypt makes a salt of its own. */
export function makeHash(type: HashType, password: string, salt: Uint8Array): string {
  const phc = (head: string, tag: Uint8Array): string => `$${head}$${unpadded(salt)}$${unpadded(tag)}`;
  switch (type) {
    case 'bcrypt':
      return hashSync(password, 12);
    case 'argon2id': {
      const [memory, passes, parallelism] = [65_536, 3, 1];
      const tag = argon2Sync(type, { message: password, nonce: salt, parallelism, tagLength: 32, memory, passes });
      return phc(`argon2id$v=19$m=${memory},t=${passes},p=${parallelism}`, tag);
    }
    case 'scrypt': {
      const [logCost, r, p] = [15, 8, 1];
      const N = 2 ** logCost;
      const tag = scryptSync(password, salt, 32, { N, r, p, maxmem: 256 * N * r });
      return phc(`scrypt$ln=${logCost},r=${r},p=${p}`, tag);
    }
  }
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '');
}
