import { denial, type Denial } from '../../../core/decision.ts';
import { compileClaimPath } from '../../../core/claim-path.ts';
import { ownMember, type JsonObject } from '../../../core/json.ts';
import type { IntrospectionProviderSpec, TokenBinding } from '../../../policy/provider-spec.ts';
import { judgeConfirmation } from '../binding/judge-binding.ts';
import {
  badClaim,
  isDate,
  judgeAudience,
  judgeIssuedAt,
  judgeNotBefore,
  judgeSubject,
  judgeUse,
  type NamedClaimJudge,
} from '../jwt/judge-claims.ts';
import type { TokenRules } from '../jwt/token-rules.ts';

/** Clocks differ: seconds that `nbf` and `iat` may be ahead. `exp` has no tolerance: the issuer judged it too. */
export const clockSkew = 30;

/** A token whose answer says that it is bound (RFC 8705 3.2, RFC 9449 6.2) is taken from its holder alone. */
export const binding: TokenBinding = { certificate: 'IfBound', dpop: 'IfBound' };

/** What a provider asks of an answer. `issuer` is empty where it asks for none. */
export function compileAnswerRules(spec: IntrospectionProviderSpec): TokenRules {
  return {
    issuer: spec.issuer ?? '',
    audiences: new Set(spec.audiences),
    algorithms: new Set(),
    profile: 'Any',
    clockSkew,
    maxLifetime: undefined,
    requiredClaims: [],
    subject: { name: spec.claims.subject, read: compileClaimPath(spec.claims.subject) },
    scopes: spec.claims.scopes.map(compileClaimPath),
    roles: spec.claims.roles.map(compileClaimPath),
    binding,
  };
}

/** What is asked of the members of an answer that says `active: true` (RFC 7662 2.2), in this order. */
export const answerJudges: readonly NamedClaimJudge[] = [
  { name: 'issuer', judge: judgeIssuer },
  { name: 'expiry', judge: judgeExpiry },
  { name: 'not before', judge: judgeNotBefore },
  { name: 'issued at', judge: judgeIssuedAt },
  { name: 'audience', judge: judgeAudience },
  { name: 'token type', judge: judgeTokenType },
  { name: 'binding', judge: judgeBinding },
  { name: 'use', judge: judgeUse },
  { name: 'subject', judge: judgeSubject },
];

/** What of the binding needs no look at the request; the proof is judged with every request, also of an answer that is remembered. */
function judgeBinding(answer: JsonObject): Denial | undefined {
  return judgeConfirmation(ownMember(answer, 'cnf'), binding);
}

/** Asked for, the issuer must be there: RFC 7662 makes it optional, and an absent one is not the right one. */
function judgeIssuer(answer: JsonObject, rules: TokenRules): Denial | undefined {
  return rules.issuer === '' || ownMember(answer, 'iss') === rules.issuer
    ? undefined
    : denial('token_issuer', 'The issuer of the token is not the one that the provider names.');
}

/** A token without `exp` does not end by itself: its answer is remembered for the ttl alone. */
function judgeExpiry(answer: JsonObject, _rules: TokenRules, now: number): Denial | undefined {
  const exp = ownMember(answer, 'exp');
  if (exp === undefined) return undefined;
  if (!isDate(exp)) return badClaim('exp', exp);
  return now < exp ? undefined : denial('token_expired');
}

/**
 * Endpoints answer for refresh and ID tokens too. `token_type` is of RFC 6749 7.1; `typ` and `token_use` are how widespread servers tell
 * the kinds apart. What is there must say that it is an access token.
 */
const accessTokenWords: Readonly<Record<string, ReadonlySet<string>>> = {
  token_type: new Set(['bearer', 'access_token', 'dpop']),
  typ: new Set(['bearer', 'jwt', 'at+jwt', 'application/at+jwt', 'dpop']),
  token_use: new Set(['access_token', 'access']),
};

function judgeTokenType(answer: JsonObject): Denial | undefined {
  for (const [name, words] of Object.entries(accessTokenWords)) {
    const word = ownMember(answer, name);
    if (word === undefined || word === null) continue;
    if (typeof word !== 'string' || !words.has(word.toLowerCase()))
      return denial('token_type', `The ${name} in the issuer's answer is not that of an access token.`);
    // A token of this type without the key that it is bound to could be used by anybody.
    if (word.toLowerCase() === 'dpop' && !Object.hasOwn(answer, 'cnf')) return denial('token_binding');
  }
  return undefined;
}
