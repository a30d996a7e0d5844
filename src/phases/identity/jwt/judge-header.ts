import { denial, type Denial } from '../../../core/decision.ts';
import { ownMember, type JsonObject } from '../../../core/json.ts';
import type { TokenRules } from './token-rules.ts';

/** Refuses a token for what its header says; undefined where it has nothing against it. */
export type HeaderJudge = (header: JsonObject, rules: TokenRules) => Denial | undefined;

/**
 * In this order. `jku`, `x5u`, `jwk` and `x5c` are not judged because nothing ever reads them: a key comes from the issuer's set or
 * from nowhere (RFC 8725 3.10).
 */
export const headerJudges: readonly { readonly name: string; readonly judge: HeaderJudge }[] = [
  { name: 'extensions', judge: judgeExtensions },
  { name: 'algorithm', judge: judgeAlgorithm },
  { name: 'key id', judge: judgeKeyId },
  { name: 'type', judge: judgeType },
];

/** `crit` (we know no extension), `b64` (RFC 7797 makes another signing input of the same text) and `zip` (RFC 8725 3.6): never. */
export function judgeExtensions(header: JsonObject): Denial | undefined {
  const extension = ['crit', 'b64', 'zip'].find((name) => Object.hasOwn(header, name));
  return extension === undefined
    ? undefined
    : denial('token_malformed', `The header of the token has ${extension}, which is not supported.`);
}

/** The algorithm must be one of the provider's (RFC 8725 3.1): exact, so `none` and HMAC can never be it. */
export function judgeAlgorithm(header: JsonObject, rules: Pick<TokenRules, 'algorithms'>): Denial | undefined {
  const alg = ownMember(header, 'alg');
  return typeof alg === 'string' && rules.algorithms.has(alg) ? undefined : denial('token_algorithm');
}

/** A `kid` is text that is compared with the ids of keys in memory, and used for nothing else. */
export function judgeKeyId(header: JsonObject): Denial | undefined {
  const kid = ownMember(header, 'kid');
  return kid === undefined || typeof kid === 'string'
    ? undefined
    : denial('token_malformed', 'The kid in the header of the token is not a string.');
}

const acceptedTypes: Readonly<Record<TokenRules['profile'], ReadonlySet<string | undefined>>> = {
  Any: new Set([undefined, 'jwt', 'at+jwt']),
  AccessToken: new Set(['at+jwt']),
  IDToken: new Set([undefined, 'jwt']),
};

/** RFC 8725 3.11 and RFC 9068 section 4: a media type in any case, whose `application/` may be left out (RFC 7515 4.1.9). */
function judgeType(header: JsonObject, rules: TokenRules): Denial | undefined {
  const typ = ownMember(header, 'typ');
  if (typ !== undefined && typeof typ !== 'string')
    return denial('token_type', 'The typ of the token is not a string.');
  const type = typ?.toLowerCase().replace(/^application\//, '');
  return acceptedTypes[rules.profile].has(type) ? undefined : denial('token_type');
}
