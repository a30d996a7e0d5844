import { compileClaimPath, type ClaimReader } from '../../../core/claim-path.ts';
import { denial, type Denial } from '../../../core/decision.ts';
import { ownMember, type JsonObject } from '../../../core/json.ts';
import type { SharedSecretJwtProviderSpec } from '../../../policy/provider-spec.ts';
import {
  badClaim,
  isText,
  judgeExpiry,
  judgeIssuedAt,
  judgeNotBefore,
  judgeSubject,
  judgeUse,
  type ClaimJudge,
} from '../jwt/judge-claims.ts';
import type { Read } from '../jwt/parse-token.ts';
import { readJudgedToken } from '../jwt/read-judged-token.ts';
import type { TokenRules } from '../jwt/token-rules.ts';

/** What a provider of HMAC tokens asks of them, prepared once. */
export interface HmacTokenRules {
  readonly rules: TokenRules;
  readonly judges: readonly ClaimJudge[];
  readonly consumerOf: (header: JsonObject, claims: JsonObject) => Read<string>;
}

/** Seconds, as with other tokens. */
export const clockSkew = 30;

export function compileHmacTokenRules(spec: SharedSecretJwtProviderSpec): HmacTokenRules {
  return {
    // Consumers have neither issuer nor audience: what a token says of these is a claim like others.
    rules: {
      issuer: '',
      audiences: new Set(),
      algorithms: new Set(spec.algorithms),
      profile: 'Any',
      clockSkew,
      maxLifetime: undefined,
      requiredClaims: [],
      subject: { name: 'sub', read: compileClaimPath('sub') },
      scopes: [],
      roles: [],
      binding: { certificate: 'IfBound', dpop: 'IfBound' },
    },
    judges: [
      judgeExpiry,
      ...(spec.verifyNotBefore ? [judgeNotBefore] : []),
      judgeIssuedAt,
      judgeBinding,
      judgeUse,
      judgeSubject,
    ],
    consumerOf: compileConsumerOf(spec.keyClaim),
  };
}

/** No proof of possession can be checked here: a token that asks for one is refused (RFC 9449 7.2). */
function judgeBinding(claims: JsonObject): Denial | undefined {
  return Object.hasOwn(claims, 'cnf') ? denial('token_binding') : undefined;
}

/** The name is looked up among those in memory, and used for nothing else. */
function compileConsumerOf({ in: part, name }: SharedSecretJwtProviderSpec['keyClaim']): HmacTokenRules['consumerOf'] {
  if (part === 'header') {
    return (header) => {
      const kid = ownMember(header, name);
      return isText(kid) ? { value: kid } : { denial: denial('token_key', `The token has no ${name} in its header.`) };
    };
  }
  const read: ClaimReader = compileClaimPath(name);
  return (_header, claims) => {
    const value = read(claims);
    return isText(value) ? { value } : { denial: badClaim(name, value) };
  };
}

/** A token whose text, header and claims passed; its code has not been looked at. */
export interface ReadHmacToken {
  readonly alg: string;
  readonly claims: JsonObject;
  /** Whose it says it is. */
  readonly consumer: string;
  readonly signingInput: string;
  readonly code: Uint8Array;
}

/** Everything that needs no secret. `now` in seconds since the epoch. */
export function readHmacToken(
  text: string,
  { rules, judges, consumerOf }: HmacTokenRules,
  limits: { readonly maxBytes: number; readonly now: number },
): Read<ReadHmacToken> {
  const read = readJudgedToken(text, rules, judges, limits);
  if ('denial' in read) return read;
  const { header, claims, segments } = read.value;
  const consumer = consumerOf(header, claims);
  if ('denial' in consumer) return consumer;
  const alg = ownMember(header, 'alg');
  const { signingInput, signature } = segments;
  return {
    value: {
      alg: typeof alg === 'string' ? alg : '',
      claims,
      consumer: consumer.value,
      signingInput,
      code: signature,
    },
  };
}
