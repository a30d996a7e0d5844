import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { jwtAlgorithms, type JwtAlgorithm } from '../../../policy/provider-spec.ts';
import { decodeBase64url } from '../../../std/base64url.ts';

/** What we take of a JWK: only its public members, and what it may verify. */
export interface PublicJwk {
  readonly kid: string | undefined;
  /** The members that make the key (RFC 7518 section 6), for import. */
  readonly material: Readonly<Record<string, string>>;
  /** Algorithms that fit its type and its own `alg`, whether a provider allows them or not. */
  readonly algorithms: readonly JwtAlgorithm[];
}

export type JudgedJwk =
  | { readonly kind: 'usable'; readonly jwk: PublicJwk }
  /** A key for encryption: nothing is wrong with it, it is just not ours to use. */
  | { readonly kind: 'not-for-signatures' }
  | { readonly kind: 'refused'; readonly why: string };

/** Judges one member of a JWK Set (RFC 7517). Never throws. */
export function judgeJwk(value: JsonValue): JudgedJwk {
  if (!isJsonObject(value)) return refused('not an object');
  const use = ownMember(value, 'use');
  if (use === 'enc') return { kind: 'not-for-signatures' };
  if (use !== undefined && use !== 'sig') return refused('its use is not sig');
  const operations = ownMember(value, 'key_ops');
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return refused('its key_ops lack verify');
  }
  const kid = ownMember(value, 'kid');
  if (kid !== undefined && typeof kid !== 'string') return refused('its kid is not a string');
  if (['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'].some((name) => Object.hasOwn(value, name))) {
    return refused('a private key is published');
  }
  return judgeMaterial(value, kid);
}

const curves: ReadonlyMap<string, { readonly kty: string; readonly bytes: number; readonly alg: JwtAlgorithm }> =
  new Map([
    ['P-256', { kty: 'EC', bytes: 32, alg: 'ES256' }],
    ['P-384', { kty: 'EC', bytes: 48, alg: 'ES384' }],
    ['P-521', { kty: 'EC', bytes: 66, alg: 'ES512' }],
    ['Ed25519', { kty: 'OKP', bytes: 32, alg: 'EdDSA' }],
  ]);

const rsaAlgorithms = jwtAlgorithms.filter((alg) => alg.startsWith('RS') || alg.startsWith('PS'));

function judgeMaterial(jwk: JsonObject, kid: string | undefined): JudgedJwk {
  const kty = ownMember(jwk, 'kty');
  if (kty === 'RSA') return judgeRsa(jwk, kid);
  if (kty === 'EC' || kty === 'OKP') return judgeCurve(jwk, kid, kty);
  return refused(kty === 'oct' ? 'a symmetric key never verifies for an issuer' : 'its kty is not known');
}

/** At least 2048 bits (RFC 7518 3.3), at most 16384; the exponent odd, at least 3 and at most 64 bits, else every text has a signature. */
function judgeRsa(jwk: JsonObject, kid: string | undefined): JudgedJwk {
  const n = readBytes(jwk, 'n');
  const e = readBytes(jwk, 'e');
  if (n === undefined || e === undefined) return refused('its n or e is not base64url');
  const bits = bitLength(n);
  if (bits < 2048) return refused('an RSA key below 2048 bits');
  if (bits > 16_384) return refused('an RSA key above 16384 bits');
  if (isEven(n) || isEven(e) || bitLength(e) < 2 || bitLength(e) > 64)
    return refused('an RSA key with a weak modulus or exponent');
  return fit(jwk, kid, { kty: 'RSA', n: text(jwk, 'n'), e: text(jwk, 'e') }, rsaAlgorithms);
}

/** Whether the point is on its curve is for the import to say. */
function judgeCurve(jwk: JsonObject, kid: string | undefined, kty: 'EC' | 'OKP'): JudgedJwk {
  const crv = text(jwk, 'crv');
  const curve = curves.get(crv);
  if (curve === undefined || curve.kty !== kty) return refused('its crv is not known');
  const names = kty === 'EC' ? ['x', 'y'] : ['x'];
  if (names.some((name) => readBytes(jwk, name)?.length !== curve.bytes))
    return refused('a coordinate is not of its length');
  const coordinates = Object.fromEntries(names.map((name) => [name, text(jwk, name)]));
  return fit(jwk, kid, { kty, crv, ...coordinates }, [curve.alg]);
}

/** A key that names its algorithm verifies that one alone (RFC 8725 3.1). */
function fit(
  jwk: JsonObject,
  kid: string | undefined,
  material: Readonly<Record<string, string>>,
  fitting: readonly JwtAlgorithm[],
): JudgedJwk {
  const alg = ownMember(jwk, 'alg');
  const algorithms = alg === undefined ? fitting : fitting.filter((candidate) => candidate === alg);
  if (algorithms.length === 0) return refused('its alg does not fit its type or is not known');
  return { kind: 'usable', jwk: { kid, material, algorithms } };
}

function refused(why: string): JudgedJwk {
  return { kind: 'refused', why };
}

function text(jwk: JsonObject, name: string): string {
  const value = ownMember(jwk, name);
  return typeof value === 'string' ? value : '';
}

function readBytes(jwk: JsonObject, name: string): Uint8Array | undefined {
  return decodeBase64url(text(jwk, name));
}

/** Of an unsigned big-endian number; leading zero bytes do not count. */
function bitLength(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (bytes.length - first - 1) * 8 + (32 - Math.clz32(bytes[first] ?? 0));
}

function isEven(bytes: Uint8Array): boolean {
  return ((bytes.at(-1) ?? 0) & 1) === 0;
}
