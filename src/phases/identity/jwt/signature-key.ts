import { compactVerify, errors, importJWK, type CryptoKey } from 'jose';
import { Failure } from '../../../core/failure.ts';
import { decodeBase64url } from '../../../std/base64url.ts';
import { createSignatureCheck, type SignatureCheck } from '../../../std/signature-check.ts';
import type { PublicJwk } from './judge-jwk.ts';

/**
 * A public key for one algorithm. Both ways take a JWS in compact serialization whose header was judged, and give the same answer to it: a
 * test holds them against each other.
 */
export interface SignatureKey {
  /** On this thread, which the request then needs no promise for; undefined where that would hold up others. */
  readonly verifyNow: ((jws: string) => boolean) | undefined;
  /** In a thread of libuv's, by jose. */
  readonly verify: (jws: string) => Promise<boolean>;
}

/** Throws where the material is no key: a point that is not on its curve. */
export async function importSignatureKey(material: PublicJwk['material'], algorithm: string): Promise<SignatureKey> {
  const key = await importJWK({ ...material }, algorithm);
  if (key instanceof Uint8Array) throw new Failure('jwk_symmetric', 'a symmetric key is no public key');
  const check = createSignatureCheck(algorithm, key);
  return {
    verifyNow: check && ((jws) => isSigned(jws, check)),
    verify: (jws) => verifyByJose(jws, key, algorithm),
  };
}

/** RFC 7515 section 5.2: the signature is over header and payload as they stand. */
function isSigned(jws: string, check: SignatureCheck): boolean {
  const end = jws.lastIndexOf('.');
  const signature = decodeBase64url(jws.slice(end + 1));
  return signature !== undefined && check(Buffer.from(jws.slice(0, end), 'latin1'), signature);
}

async function verifyByJose(jws: string, key: CryptoKey, algorithm: string): Promise<boolean> {
  try {
    await compactVerify(jws, key, { algorithms: [algorithm] });
    return true;
  } catch (error) {
    if (error instanceof errors.JOSEError) return false;
    throw error;
  }
}
