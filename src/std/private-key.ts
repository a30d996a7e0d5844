import { createPrivateKey, type KeyObject } from 'node:crypto';

/** A key that signs, and the one JWS algorithm (RFC 7518) that it is used with. */
export interface PrivateKey {
  readonly key: KeyObject;
  readonly algorithm: 'RS256' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA';
}

const minimumModulus = 2048;
const algorithmOfCurve: Readonly<Record<string, PrivateKey['algorithm'] | undefined>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/** Reads PEM of PKCS#8. Else why it cannot be used, as words that follow its name and hold nothing of it. */
export function readPrivateKey(pem: string): PrivateKey | string {
  if (!pem.includes('-----BEGIN PRIVATE KEY-----')) return 'is no PEM of an unencrypted PKCS#8 key';
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    return 'is no PEM of a key that can be read';
  }
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType;
  if (type === 'rsa')
    return modulusLength < minimumModulus
      ? `is an RSA key of less than ${minimumModulus} bits`
      : { key, algorithm: 'RS256' };
  if (type === 'ec') {
    const algorithm = algorithmOfCurve[namedCurve];
    return algorithm === undefined ? 'is a key on a curve that no algorithm of JOSE uses' : { key, algorithm };
  }
  if (type === 'ed25519') return { key, algorithm: 'EdDSA' };
  return 'is neither an RSA, nor an EC, nor an Ed25519 key';
}
