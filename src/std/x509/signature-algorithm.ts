import { constants, verify, type KeyObject, type VerifyKeyObjectInput } from 'node:crypto';
import { DerReader, readOid, tags } from './der.ts';

/** What is signed: the hash of the bytes, or the bytes themselves (Ed25519, Ed448). `pss` is the padding of RSASSA-PSS. */
export interface SignatureHash {
  readonly hash: 'sha256' | 'sha384' | 'sha512' | undefined;
  readonly pss: boolean;
}

/** Those that are strong: SHA-1 and MD5 are not among them. */
const algorithms: ReadonlyMap<string, SignatureHash> = new Map([
  ['1.2.840.113549.1.1.11', { hash: 'sha256', pss: false }],
  ['1.2.840.113549.1.1.12', { hash: 'sha384', pss: false }],
  ['1.2.840.113549.1.1.13', { hash: 'sha512', pss: false }],
  ['1.2.840.10045.4.3.2', { hash: 'sha256', pss: false }],
  ['1.2.840.10045.4.3.3', { hash: 'sha384', pss: false }],
  ['1.2.840.10045.4.3.4', { hash: 'sha512', pss: false }],
  ['1.3.101.112', { hash: undefined, pss: false }],
  ['1.3.101.113', { hash: undefined, pss: false }],
]);

const rsaPss = '1.2.840.113549.1.1.10';
const hashes: ReadonlyMap<string, SignatureHash['hash']> = new Map([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);

/** Of an AlgorithmIdentifier; undefined where it is weak or unknown. Throws a DerError for what is none. */
export function readSignatureHash(identifier: Buffer): SignatureHash | undefined {
  const reader = new DerReader(identifier).into(tags.sequence);
  const id = readOid(reader.contents(reader.read(tags.oid)));
  if (id !== rsaPss) return algorithms.get(id);
  // RFC 4055 3.1: without the field the hash is SHA-1.
  const name = reader.intoIf(tags.sequence)?.intoIf(0xa0)?.intoIf(tags.sequence);
  const hash = name && hashes.get(readOid(name.contents(name.read(tags.oid))));
  return hash === undefined ? undefined : { hash, pss: true };
}

/** Verifies what OpenSSL has no object for: a list of revoked certificates. False for a key of another kind. */
export function verifySigned({ hash, pss }: SignatureHash, body: Buffer, signature: Buffer, key: KeyObject): boolean {
  const input: VerifyKeyObjectInput = pss
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
    : { key };
  try {
    return verify(hash, body, input, signature);
  } catch {
    return false;
  }
}

const curves: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** Beyond, a signature takes too long to verify. */
function isStrongLength(bits: number): boolean {
  return bits >= 2048 && bits <= 8192;
}

/** True for a key that nobody can compute the private one of: RSA of 2048 to 8192 bits, the curves of NIST, Ed25519 and Ed448. */
export function isStrongKey({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  if (asymmetricKeyType === 'rsa' || asymmetricKeyType === 'rsa-pss')
    return isStrongLength(asymmetricKeyDetails?.modulusLength ?? 0);
  if (asymmetricKeyType === 'ec') return curves.has(asymmetricKeyDetails?.namedCurve);
  return asymmetricKeyType === 'ed25519' || asymmetricKeyType === 'ed448';
}
