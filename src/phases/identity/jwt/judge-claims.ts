import { denial, type Denial } from '../../../core/decision.ts';
import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { judgeConfirmation } from '../binding/judge-binding.ts';
import type { TokenRules } from './token-rules.ts';

/** Refuses a token for what its payload says; `now` in seconds since the epoch. */
export type ClaimJudge = (claims: JsonObject, rules: TokenRules, now: number) => Denial | undefined;

export interface NamedClaimJudge {
  readonly name: string;
  readonly judge: ClaimJudge;
}

/** In this order: whose token it is comes first. All of it stands before any key is looked up, so a token that fails here costs no fetch. */
export const claimJudges: readonly NamedClaimJudge[] = [
  { name: 'issuer', judge: judgeIssuer },
  { name: 'expiry', judge: judgeExpiry },
  { name: 'not before', judge: judgeNotBefore },
  { name: 'issued at', judge: judgeIssuedAt },
  { name: 'lifetime', judge: judgeLifetime },
  { name: 'audience', judge: judgeAudience },
  { name: 'binding', judge: judgeBinding },
  { name: 'use', judge: judgeUse },
  { name: 'required claims', judge: judgeRequiredClaims },
  { name: 'subject', judge: judgeSubject },
];

/** 9999-12-31T23:59:59Z: no real token ends later. */
const lastSecond = 253_402_300_799;

/** Compared byte for byte (RFC 8725 3.8, RFC 9068 section 4). */
function judgeIssuer(claims: JsonObject, rules: TokenRules): Denial | undefined {
  return ownMember(claims, 'iss') === rules.issuer ? undefined : denial('token_issuer');
}

/** `exp` is required whatever a provider says, and the current time must be before it, but for the skew (RFC 7519 4.1.4). */
export function judgeExpiry(claims: JsonObject, rules: TokenRules, now: number): Denial | undefined {
  const exp = ownMember(claims, 'exp');
  if (!isDate(exp)) return badClaim('exp', exp);
  return now < exp + rules.clockSkew ? undefined : denial('token_expired');
}

export function judgeNotBefore(claims: JsonObject, rules: TokenRules, now: number): Denial | undefined {
  const nbf = ownMember(claims, 'nbf');
  if (nbf === undefined) return undefined;
  if (!isDate(nbf)) return badClaim('nbf', nbf);
  return now >= nbf - rules.clockSkew ? undefined : denial('token_not_yet_valid');
}

export function judgeIssuedAt(claims: JsonObject, rules: TokenRules, now: number): Denial | undefined {
  const iat = ownMember(claims, 'iat');
  if (iat === undefined) return undefined;
  if (!isDate(iat)) return badClaim('iat', iat);
  return now >= iat - rules.clockSkew
    ? undefined
    : denial('token_not_yet_valid', 'The token was issued in the future.');
}

/** Where a provider bounds the life-time, a token that does not say when it began has none that could be judged. */
function judgeLifetime(claims: JsonObject, rules: TokenRules): Denial | undefined {
  if (rules.maxLifetime === undefined) return undefined;
  const iat = ownMember(claims, 'iat');
  const exp = ownMember(claims, 'exp');
  if (!isDate(iat) || !isDate(exp)) return badClaim('iat', iat);
  return exp - iat <= rules.maxLifetime ? undefined : denial('token_lifetime');
}

/** A string, or an array of nothing but strings, that has one of the provider's audiences exactly (RFC 7519 4.1.3). */
export function judgeAudience(claims: JsonObject, rules: TokenRules): Denial | undefined {
  const audiences = readAudiences(claims);
  if (audiences === undefined) return denial('token_audience', 'The aud of the token is missing or not text.');
  return audiences.some((audience) => rules.audiences.has(audience)) ? undefined : denial('token_audience');
}

/** What of the binding needs no look at the request (RFC 7800); the proof is judged with every request. */
function judgeBinding(claims: JsonObject, rules: TokenRules): Denial | undefined {
  return judgeConfirmation(ownMember(claims, 'cnf'), rules.binding);
}

/** Logout tokens of issuers that do not type them have all that an ID token has (RFC 8725 3.12). */
export function judgeUse(claims: JsonObject): Denial | undefined {
  const events = ownMember(claims, 'events');
  return isJsonObject(events) && Object.hasOwn(events, 'http://schemas.openid.net/event/backchannel-logout')
    ? denial('token_type', 'The token is a logout token.')
    : undefined;
}

/** A claim that is null says nothing and counts as missing. */
function judgeRequiredClaims(claims: JsonObject, rules: TokenRules): Denial | undefined {
  const missing = rules.requiredClaims.find(({ read }) => (read(claims) ?? null) === null);
  return missing === undefined ? undefined : badClaim(missing.name, undefined);
}

/**
 * `sub`, where there is one, is text (RFC 7519 4.1.2), and so is the claim that the provider names as the subject. A token without
 * `sub` passes unless it is required; one without a subject claim that the author chose does not.
 */
export function judgeSubject(claims: JsonObject, rules: TokenRules): Denial | undefined {
  const sub = ownMember(claims, 'sub');
  if (sub !== undefined && !isText(sub)) return badClaim('sub', sub);
  if (rules.subject.name === 'sub') return undefined;
  const subject = rules.subject.read(claims);
  return isText(subject) ? undefined : badClaim(rules.subject.name, subject);
}

/** The audiences of a token; undefined where `aud` is missing or not text. */
export function readAudiences(claims: JsonObject): readonly string[] | undefined {
  const aud = ownMember(claims, 'aud');
  if (typeof aud === 'string') return [aud];
  return isStringArray(aud) ? aud : undefined;
}

/** The Denial for a claim that is missing (undefined) or not of its type. */
export function badClaim(name: string, value: JsonValue | undefined): Denial {
  return denial('token_claim', `The claim ${name} ${value === undefined ? 'is missing' : 'is not of its type'}.`);
}

/** A text that is not empty. */
export function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

export function isStringArray(value: JsonValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}

/** A NumericDate (RFC 7519 section 2, fractions permitted) that a calendar has. */
export function isDate(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= lastSecond;
}
