import { readFile } from 'node:fs/promises';
import { Failure, messageOf } from '../core/failure.ts';
import { judgeTrustAnchors } from '../std/x509/judge-trust-anchors.ts';

/**
 * The PEM certificates that the connection to Redis is to trust. Throws a Failure `store_ca` that names the file where it cannot be read or
 * is no such text: an empty one would mean everybody whom the system trusts, and they would be sent the password.
 */
export async function readRedisAuthorities(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Failure('store_ca', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
  const fault = judgeTrustAnchors(text);
  if (fault !== undefined) throw new Failure('store_ca', `${path} cannot say which authorities Redis has: ${fault}`);
  return text;
}
