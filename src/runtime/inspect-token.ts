import { ownMember, type JsonObject } from '../core/json.ts';
import type { TokenCheck } from '../core/token-inspection.ts';
import { catalogProviders, judgeToken, readCatalog, readTokenParts } from '../engine/inspect-token.ts';
import { isJwtProvider, type JwtProviderSpec } from '../policy/provider-spec.ts';
import { specKey } from '../policy/spec-name.ts';
import { durationInWords } from '../std/duration-in-words.ts';
import { findNamed, unknownProvider } from './choose-provider.ts';
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
  const catalog = readCatalog(await readSourcesOrFail(policies, stdin), 'portcullis');
  const providers = [...catalogProviders(catalog).values()]
    .filter(isJwtProvider)
    .toSorted((a, b) => (specKey(a) < specKey(b) ? -1 : 1));
  const chosen = choose(providers, provider, claims);
  const judgements = await Promise.all(
    chosen.map(async (spec): Promise<TokenJudgement> => {
      const checks = await judgeToken(spec, { text: token, parts: parts.value, now, jwks }, catalog);
      return { provider: specKey(spec), verdict: verdictOf(checks), checks };
    }),
  );
  return { ...read, judgements, unjudged: chosen.length > 0 ? undefined : nobody(providers) };
};

/** As serving chooses (S17): by the issuer. A provider that was named is asked whatever the token says. */
function choose(
  providers: readonly JwtProviderSpec[],
  name: string | undefined,
  claims: JsonObject,
): readonly JwtProviderSpec[] {
  if (name === undefined) return providers.filter(({ issuer }) => issuer === ownMember(claims, 'iss'));
  const named = findNamed(providers, name);
  if (named.length === 1) return named;
  throw unknownProvider(`${named.length === 0 ? 'no provider is' : 'several providers are'} named ${name}`, providers);
}

function nobody(providers: readonly JwtProviderSpec[]): string {
  const issuers = providers.map((provider) => `${specKey(provider)} has ${provider.issuer}`).join(', ');
  return `no provider of the documents has the token's issuer [token_issuer]; ${issuers || 'there are no providers'}`;
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
