import { ownMember, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { jwtAlgorithms, type JwtAlgorithm } from '../../../policy/provider-spec.ts';
import { sha256Base64url } from '../../../std/sha256.ts';
import { judgeJwk, type PublicJwk } from '../jwt/judge-jwk.ts';
import { readObject, splitToken } from '../jwt/parse-token.ts';

/** What a DPoP proof says (RFC 9449 4.2): well formed, and neither verified nor compared with anything. */
export interface Proof {
  readonly text: string;
  readonly alg: JwtAlgorithm;
  readonly key: PublicJwk;
  /** The thumbprint of the key (RFC 7638, SHA-256). */
  readonly jkt: string;
  readonly htm: string;
  readonly htu: string;
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly ath: string;
  readonly nonce: string | undefined;
  /** RFC 9449 has neither; a proof that names its times all the same keeps to them (RFC 7519 4.1.4 and 4.1.5). */
  readonly exp: number | undefined;
  readonly nbf: number | undefined;
}

export type ParsedProof = { readonly proof: Proof } | { readonly why: string };

/** The algorithms that a proof may be signed with: what every provider may know, whatever one allows its issuer. None is symmetric. */
export const proofAlgorithms: readonly JwtAlgorithm[] = jwtAlgorithms;

/** A key of 4096 bits and a URI of some 2000 characters fit. */
const maxProofBytes = 6_144;
const maxJtiLength = 512;

/** Reads a proof: checks 2 to 5 and 7 of RFC 9449 4.3, and that `ath` is there, which a proof beside a token must have. `why` quotes nothing. */
export function parseProof(text: string): ParsedProof {
  const segments = splitToken(text, maxProofBytes);
  if ('denial' in segments) return { why: 'is too long, or no JWT in its compact form' };
  const header = readObject('header', segments.value.header);
  if ('denial' in header) return { why: 'has a header that is no strict JSON object' };
  const head = readHeader(header.value);
  if ('why' in head) return head;
  const payload = readObject('payload', segments.value.payload);
  if ('denial' in payload) return { why: 'has a payload that is no strict JSON object' };
  const claims = readClaims(payload.value);
  return 'why' in claims ? claims : { proof: { text, ...head, ...claims } };
}

type Head = Pick<Proof, 'alg' | 'key' | 'jkt'>;

function readHeader(header: JsonObject): Head | { readonly why: string } {
  if (['crit', 'b64', 'zip'].some((name) => Object.hasOwn(header, name))) return { why: 'has an extension' };
  const typ = ownMember(header, 'typ');
  if (typeof typ !== 'string' || typ.toLowerCase().replace(/^application\//, '') !== 'dpop+jwt')
    return { why: 'is not of the type dpop+jwt' };
  const alg = proofAlgorithms.find((known) => known === ownMember(header, 'alg'));
  if (alg === undefined) return { why: 'is signed with an algorithm that is not accepted' };
  const jwk = ownMember(header, 'jwk');
  const judged = jwk === undefined ? undefined : judgeJwk(jwk);
  if (judged?.kind !== 'usable') return { why: 'has no public key that can be used' };
  if (!judged.jwk.algorithms.includes(alg)) return { why: 'has a key that does not fit its algorithm' };
  return { alg, key: judged.jwk, jkt: thumbprint(judged.jwk) };
}

/** RFC 7638: `material` is exactly the members that the thumbprint is of, here in the order of their names and without white space. */
function thumbprint({ material }: PublicJwk): string {
  const members = Object.entries(material).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sha256Base64url(JSON.stringify(Object.fromEntries(members)));
}

type ProofClaims = Pick<Proof, 'htm' | 'htu' | 'jti' | 'iat' | 'ath' | 'nonce' | 'exp' | 'nbf'>;

function readClaims(claims: JsonObject): ProofClaims | { readonly why: string } {
  const [htm, htu, jti, ath] = ['htm', 'htu', 'jti', 'ath'].map((name) => textOf(ownMember(claims, name)));
  if (htm === undefined || htu === undefined || jti === undefined) return { why: 'lacks htm, htu or jti' };
  if (ath === undefined) return { why: 'lacks ath' };
  if (jti.length > maxJtiLength) return { why: `has a jti of more than ${maxJtiLength} characters` };
  const [iat, exp, nbf] = ['iat', 'exp', 'nbf'].map((name) => ownMember(claims, name));
  if (!isTime(iat) || !isTimeOrAbsent(exp) || !isTimeOrAbsent(nbf))
    return { why: 'lacks iat, or has a time that is no number' };
  const nonce = ownMember(claims, 'nonce');
  if (nonce !== undefined && textOf(nonce) === undefined) return { why: 'has a nonce that is no text' };
  return { htm, htu, jti, ath, iat, exp, nbf, nonce: textOf(nonce) };
}

function isTime(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isTimeOrAbsent(value: JsonValue | undefined): value is number | undefined {
  return value === undefined || isTime(value);
}

/** A text that is not empty. */
function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
