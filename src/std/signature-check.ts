import { constants, KeyObject, verify, type VerifyKeyObjectInput } from 'node:crypto';
import { derSignature } from './ecdsa-signature.ts';

/** Whether the bytes are signed so with the key. Takes some 20 to 55 µs of the thread that calls it. */
export type SignatureCheck = (signed: Uint8Array, signature: Uint8Array) => boolean;

type CryptoKey = Parameters<typeof KeyObject.from>[0];

/** The public exponents and moduli (bits) that cost no more than a curve does; of both, a set of keys may bring what is far dearer. */
const maxExponent = 65_537n;
const maxModulus = 4_096;

/**
 * The check of a JWS algorithm (RFC 7518 section 3.1, RFC 8037) on the caller's own thread, or undefined where that would hold up the
 * others: curves beyond P-256 take 0.6 to 1.2 ms, and large keys of RSA as much. The key has to fit the algorithm.
 */
export function createSignatureCheck(algorithm: string, key: CryptoKey): SignatureCheck | undefined {
  const object = KeyObject.from(key);
  const hash = `sha${algorithm.slice(2)}`;
  switch (algorithm) {
    case 'RS256':
    case 'RS384':
    case 'RS512':
      // PKCS#1 v1.5 is what Node takes a key of RSA for by itself; to name it costs half as much as the signature.
      return isSmall(object) ? withKey(hash, object) : undefined;
    case 'PS256':
    case 'PS384':
    case 'PS512': {
      // RFC 7518 section 3.5: the salt is as long as the hash.
      const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      return isSmall(object) ? withKey(hash, { key: object, padding, saltLength }) : undefined;
    }
    case 'ES256':
      return withCurve(hash, object, 32);
    case 'EdDSA':
      return withKey(undefined, object);
    default:
      return undefined;
  }
}

function withKey(hash: string | undefined, key: KeyObject | VerifyKeyObjectInput): SignatureCheck {
  return (signed, signature) => verify(hash, signed, key, signature);
}

/** With DER and the key alone OpenSSL takes 50 µs, where it takes 71 when Node is told of the form of JWS. */
function withCurve(hash: string, key: KeyObject, bytes: number): SignatureCheck {
  return (signed, signature) => {
    const der = derSignature(signature, bytes);
    return der !== undefined && verify(hash, signed, key, der);
  };
}

function isSmall(key: KeyObject): boolean {
  const { modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (modulusLength === undefined || publicExponent === undefined) return false;
  return modulusLength <= maxModulus && publicExponent <= maxExponent;
}
