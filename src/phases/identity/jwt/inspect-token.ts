import { messageOf } from '../../../core/failure.ts';
import type { Denial } from '../../../core/decision.ts';
import { ownMember, type JsonObject } from '../../../core/json.ts';
import type { TokenCheck } from '../../../core/token-inspection.ts';
import type { JwtProviderSpec } from '../../../policy/provider-spec.ts';
import { defaultIdentitySettings } from '../identity-settings.ts';
import { claimJudges } from './judge-claims.ts';
import { headerJudges } from './judge-header.ts';
import { profileJudges } from './judge-profile.ts';
import { readKeySet } from './key-set.ts';
import { readObject, splitToken, type Read } from './parse-token.ts';
import { compileTokenRules } from './token-rules.ts';
import { verifyWithKeys } from './verify-signature.ts';

export interface TokenParts {
  readonly header: JsonObject;
  readonly claims: JsonObject;
}

/** Header and claims of a token that nobody has verified. */
export function readTokenParts(text: string): Read<TokenParts> {
  const segments = splitToken(text, defaultIdentitySettings.maxTokenBytes);
  if ('denial' in segments) return segments;
  const header = readObject('header', segments.value.header);
  if ('denial' in header) return header;
  const claims = readObject('payload', segments.value.payload);
  return 'denial' in claims ? claims : { value: { header: header.value, claims: claims.value } };
}

export interface InspectionInput {
  readonly text: string;
  readonly parts: TokenParts;
  /** Seconds since the epoch. */
  readonly now: number;
  /** The JSON text of a JWK Set; undefined: the signature is not looked at. */
  readonly keys: string | undefined;
}

/** Every check of a provider on the token, in the order of serving, also those behind the first refusal. */
export async function inspectToken(spec: JwtProviderSpec, input: InspectionInput): Promise<readonly TokenCheck[]> {
  const rules = compileTokenRules(spec);
  const { header, claims } = input.parts;
  return [
    ...headerJudges.map(({ name, judge }) => toCheck(name, judge(header, rules))),
    ...claimJudges.map(({ name, judge }) => toCheck(name, judge(claims, rules, input.now))),
    await checkSignature(rules.algorithms, input),
    ...profileJudges[rules.profile].map(({ name, judge }) => toCheck(name, judge(claims, rules, input.now))),
  ];
}

function toCheck(name: string, denial: Denial | undefined): TokenCheck {
  if (denial === undefined) return { check: name, verdict: 'passed', code: undefined, message: undefined };
  return { check: name, verdict: 'refused', code: denial.code, message: denial.message };
}

async function checkSignature(
  algorithms: ReadonlySet<string>,
  { text, keys, parts: { header } }: InspectionInput,
): Promise<TokenCheck> {
  const check = 'signature';
  const alg = ownMember(header, 'alg');
  if (keys === undefined) return { check, verdict: 'not-looked-at', code: undefined, message: 'there are no keys' };
  if (typeof alg !== 'string' || !algorithms.has(alg))
    return { check, verdict: 'not-looked-at', code: undefined, message: 'the algorithm is not allowed' };
  try {
    const set = await readKeySet(new TextEncoder().encode(keys), algorithms, defaultIdentitySettings.maxKeys);
    const kid = ownMember(header, 'kid');
    const verdict = await verifyWithKeys({ text, alg, kid: typeof kid === 'string' ? kid : undefined }, set);
    return toCheck(check, 'denial' in verdict ? verdict.denial : undefined);
  } catch (thrown) {
    return { check, verdict: 'not-looked-at', code: undefined, message: messageOf(thrown) };
  }
}
