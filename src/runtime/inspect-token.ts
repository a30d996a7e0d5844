import { Failure } from '../core/failure.ts';
import { ownMember, type JsonObject } from '../core/json.ts';
import type { TokenCheck } from '../core/token-inspection.ts';
import { catalogProviders, judgeToken, readCatalog, readTokenParts, type TokenParts } from '../engine/inspect-token.ts';
import {
  isJwtProvider,
  type IdentityProviderSpec,
  type JwtProviderSpec,
  type SharedSecretJwtProviderSpec,
} from '../policy/provider-spec.ts';
import { specKey } from '../policy/spec-name.ts';
import { durationInWords } from '../std/duration-in-words.ts';
import { findNamed, unknownProvider } from './choose-provider.ts';
import { judgeHmacToken } from './judge-hmac-token.ts';
import { readSourcesOrFail } from './read-sources.ts';
import { systemClock } from './system-ports.ts';
import type { InspectToken, TokenJudgement, TokenTime } from './token-report.ts';

export const inspectToken: InspectToken = async ({ token, policies, provider, jwks }, stdin) => {
  const now = systemClock.now() / 1000;
  const parts = readTokenParts(token);
  if ('denial' in parts) {
    const { code, message } = parts.denial;
    return { malformed: { code, message }, header: {}, claims: {}, times: [], judgements: [], unjudged: undefined };
  }
  const { header, claims } = parts.value;
  const read = { malformed: undefined, header, claims, times: timesOf(claims, now) };
  if (policies.length === 0) return { ...read, judgements: [], unjudged: undefined };
  const reading = await readSourcesOrFail(policies, stdin);
  const catalog = readCatalog(reading, 'portcullis');
  const providers = [...catalogProviders(catalog).values()].toSorted((a, b) => (specKey(a) < specKey(b) ? -1 : 1));
  const chosen = choose(providers, provider, parts.value);
  const judgements = await Promise.all(
    chosen.map(async (spec): Promise<TokenJudgement> => {
      const checks =
        spec.type === 'JWT'
          ? await judgeToken(spec, { text: token, parts: parts.value, now, jwks }, catalog)
          : await judgeHmacToken(spec, token, reading.documents);
      return { provider: specKey(spec), verdict: verdictOf(checks), checks };
    }),
  );
  return { ...read, judgements, unjudged: chosen.length > 0 ? undefined : nobody(providers, header) };
};

type JudgingSpec = JwtProviderSpec | SharedSecretJwtProviderSpec;

/** As serving chooses (S17): by an HMAC, else by the issuer. A provider that was named is asked whatever the token says. */
function choose(
  providers: readonly IdentityProviderSpec[],
  name: string | undefined,
  { header, claims }: TokenParts,
): readonly JudgingSpec[] {
  if (name === undefined) {
    if (isHmac(header)) return providers.filter((spec) => spec.type === 'SharedSecretJWT');
    return providers.filter(isJwtProvider).filter(({ issuer }) => issuer === ownMember(claims, 'iss'));
  }
  const named = findNamed(providers, name);
  const [only] = named;
  if (only !== undefined && named.length === 1) {
    if (only.type === 'JWT' || only.type === 'SharedSecretJWT') return [only];
    throw new Failure(
      'provider_unknown',
      `${specKey(only)} is of type ${only.type}, whose credentials are not judged here: try one with portcullis explain`,
    );
  }
  throw unknownProvider(`${named.length === 0 ? 'no provider is' : 'several providers are'} named ${name}`, providers);
}

function isHmac(header: JsonObject): boolean {
  const alg = ownMember(header, 'alg');
  return typeof alg === 'string' && alg.startsWith('HS');
}

function nobody(providers: readonly IdentityProviderSpec[], header: JsonObject): string {
  const others = providers
    .filter((spec) => !isJwtProvider(spec))
    .map((spec) => `${specKey(spec)} is of type ${spec.type}`)
    .join(', ');
  if (isHmac(header))
    return `the token has an HMAC, and no provider of the documents is of type SharedSecretJWT [token_issuer]; ${others || 'all are of type JWT'}`;
  const issuers = providers
    .filter(isJwtProvider)
    .map((provider) => `${specKey(provider)} has ${provider.issuer}`)
    .join(', ');
  const known = [issuers, others].filter((text) => text !== '').join('; ');
  return `no provider of the documents has the token's issuer [token_issuer]; ${known || 'there are no providers'}`;
}

function verdictOf(checks: readonly TokenCheck[]): TokenJudgement['verdict'] {
  if (checks.some(({ verdict }) => verdict === 'refused')) return 'refused';
  return checks.some(({ verdict }) => verdict === 'not-looked-at') ? 'unverified' : 'accepted';
}

function timesOf(claims: JsonObject, now: number): TokenTime[] {
  return (['iat', 'nbf', 'exp', 'auth_time'] as const).flatMap((claim): TokenTime[] => {
    const seconds = ownMember(claims, claim);
    // Beyond this no calendar has a name for it.
    if (typeof seconds !== 'number' || Math.abs(seconds) > 253_402_300_799) return [];
    const distance = durationInWords(Math.abs(seconds - now));
    const inWords = seconds > now ? `in ${distance}` : `${distance} ago`;
    return [{ claim, at: new Date(seconds * 1000).toISOString(), inWords }];
  });
}
