import { randomBytes } from 'node:crypto';
import { makeHash, type HashType } from '../passwords/make-hash.ts';

export { hashTypes, type HashType } from '../passwords/make-hash.ts';

/** The hash of a password, or why nobody could log in with it, as words that hold nothing of it. */
export function hashPassword(type: HashType, password: string): { readonly hash: string } | { readonly why: string } {
  const bytes = Buffer.byteLength(password);
  if (bytes === 0) return { why: 'the password is empty' };
  if (bytes > 1024) return { why: 'the password is longer than 1024 bytes' };
  if (/\p{Cc}/u.test(password)) return { why: 'the password has a control character, or more than one line' };
  if (type === 'bcrypt' && bytes > 72)
    return { why: 'bcrypt reads 72 bytes of a password, and this one is longer: use argon2id or scrypt' };
  return { hash: makeHash(type, password, randomBytes(16)) };
}
