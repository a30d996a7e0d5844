import { isJsonObject, ownMember, type JsonObject } from '../../../core/json.ts';
import type { Denial } from '../../../core/decision.ts';
import { isDate, readAudiences } from '../jwt/judge-claims.ts';
import { judgeAlgorithm, judgeExtensions, judgeKeyId } from '../jwt/judge-header.ts';
import type { KeyCache } from '../jwt/key-cache.ts';
import { readObject, splitToken } from '../jwt/parse-token.ts';
import { verifySignature } from '../jwt/verify-signature.ts';
import { fail } from './read-answer.ts';

/** What a signed answer must be (RFC 9701 5). */
export interface SignedAnswerRules {
  readonly issuer: string;
  /** Ours: the answer is for nobody else. */
  readonly clientId: string;
  readonly algorithms: ReadonlySet<string>;
  readonly maxBytes: number;
}

/** Seconds that the answer's `iat` may be off: it was made for this request. */
export const maxAge = 60;

export interface SignedAnswer {
  readonly answer: JsonObject;
  /** What the signature is over; the signature itself may be written in several ways. */
  readonly signed: string;
}

/** The members of an answer that is a JWT of the issuer, for us, of now. Nothing in it names the token. Throws a Failure where it is not. `now` in seconds. */
export async function readSignedAnswer(
  bytes: Uint8Array,
  rules: SignedAnswerRules,
  keys: KeyCache,
  now: () => number,
): Promise<SignedAnswer> {
  const text = Buffer.from(bytes).toString('latin1').trim();
  const segments = valueOf(splitToken(text, rules.maxBytes));
  const header = valueOf(readObject('header', segments.header));
  judgeHeader(header, rules);
  const claims = valueOf(readObject('payload', segments.payload));
  const kid = ownMember(header, 'kid');
  const alg = ownMember(header, 'alg');
  const token = { text, alg: typeof alg === 'string' ? alg : '', kid: typeof kid === 'string' ? kid : undefined };
  const signature = await verifySignature(token, keys);
  if ('denial' in signature) throw refused(signature.denial);
  return { answer: judgeEnvelope(claims, rules, now()), signed: text.slice(0, text.lastIndexOf('.')) };
}

/** The type keeps other JWTs of the issuer, an access token say, from being taken for an answer. */
function judgeHeader(header: JsonObject, { algorithms }: SignedAnswerRules): void {
  const typ = ownMember(header, 'typ');
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined;
  if (type !== 'token-introspection+jwt') throw fail('introspection_answer', 'answers with a JWT of another type');
  const denial = judgeExtensions(header) ?? judgeAlgorithm(header, { algorithms }) ?? judgeKeyId(header);
  if (denial !== undefined) throw refused(denial);
}

function judgeEnvelope(claims: JsonObject, { issuer, clientId }: SignedAnswerRules, now: number): JsonObject {
  if (ownMember(claims, 'iss') !== issuer) throw fail('introspection_answer', 'answers with a JWT of another issuer');
  if (readAudiences(claims)?.includes(clientId) !== true)
    throw fail('introspection_answer', 'answers with a JWT that is not for our client');
  const iat = ownMember(claims, 'iat');
  if (!isDate(iat) || Math.abs(now - iat) > maxAge)
    throw fail('introspection_answer', 'answers with a JWT that was not made just now');
  const answer = ownMember(claims, 'token_introspection');
  if (!isJsonObject(answer)) throw fail('introspection_answer', 'answers with a JWT without token_introspection');
  return answer;
}

function valueOf<T>(read: { readonly value: T } | { readonly denial: Denial }): T {
  if ('denial' in read) throw refused(read.denial);
  return read.value;
}

function refused({ code }: Denial): Error {
  return fail('introspection_answer', `answers with a JWT that is refused (${code})`);
}
