import { denial, type Denial } from '../../../core/decision.ts';
import { ownMember, type JsonObject } from '../../../core/json.ts';
import { badClaim, isText, readAudiences, type NamedClaimJudge } from './judge-claims.ts';
import type { TokenRules } from './token-rules.ts';

/** What each profile asks of the claims beyond `claimJudges`, after the signature. The `typ` is judged with the header. */
export const profileJudges: Readonly<Record<TokenRules['profile'], readonly NamedClaimJudge[]>> = {
  Any: [{ name: 'not an id token', judge: judgeNotIdToken }],
  AccessToken: [{ name: 'access token claims', judge: judgeAccessTokenClaims }],
  IDToken: [
    { name: 'id token claims', judge: judgeIdTokenClaims },
    { name: 'authorized party', judge: judgeAuthorizedParty },
  ],
};

/** Hashes of what is issued beside an ID token (OpenID Connect Core 3.1.3.6, 3.3.2.11, FAPI): no other token has them. */
const idTokenClaims: readonly string[] = ['at_hash', 'c_hash', 's_hash'];
/** Keycloak says in a claim, of its access tokens too, what a token is for. */
const otherUses: ReadonlySet<unknown> = new Set(['ID', 'Refresh', 'Offline', 'Logout']);

/**
 * What gives an ID token away whose `typ` says nothing; one that has none of it is told apart by its audience alone, which is the client.
 * `nonce`, `azp` and `sid` say nothing: access tokens of some issuers have them too.
 */
function judgeNotIdToken(claims: JsonObject): Denial | undefined {
  const isIdToken =
    idTokenClaims.some((name) => Object.hasOwn(claims, name)) || otherUses.has(ownMember(claims, 'typ'));
  return isIdToken
    ? denial(
        'token_type',
        'The token is an ID token, or another one that gives no access (profile IDToken takes ID tokens).',
      )
    : undefined;
}

/** RFC 9068 2.2 requires these beside `iss`, `exp` and `aud`, which every profile does. */
function judgeAccessTokenClaims(claims: JsonObject): Denial | undefined {
  return firstBad(claims, ['sub', 'client_id', 'jti']) ?? missingIssuedAt(claims);
}

/** OpenID Connect Core section 2. */
function judgeIdTokenClaims(claims: JsonObject): Denial | undefined {
  return firstBad(claims, ['sub']) ?? missingIssuedAt(claims);
}

/**
 * OpenID Connect Core 3.1.3.7: with several audiences `azp` says for whom the token is, and that must be one of ours. With one audience
 * it is not asked: an issuer may name there the app that obtained the token for us.
 */
function judgeAuthorizedParty(claims: JsonObject, rules: TokenRules): Denial | undefined {
  if ((readAudiences(claims)?.length ?? 0) <= 1) return undefined;
  const azp = ownMember(claims, 'azp');
  return typeof azp === 'string' && rules.audiences.has(azp) ? undefined : badClaim('azp', azp);
}

function firstBad(claims: JsonObject, names: readonly string[]): Denial | undefined {
  const name = names.find((candidate) => !isText(ownMember(claims, candidate)));
  return name === undefined ? undefined : badClaim(name, ownMember(claims, name));
}

/** That `iat`, where present, is a date was judged before. */
function missingIssuedAt(claims: JsonObject): Denial | undefined {
  return ownMember(claims, 'iat') === undefined ? badClaim('iat', undefined) : undefined;
}
