import { ownMember, type JsonObject } from '../../core/json.ts';
import { serviceAccountUser } from '../../core/kubernetes-review.ts';
import { placesOf } from '../../policy/providers/credential-forms.ts';
import type { ClaimsProviderSpec, ServiceAccountProviderSpec } from '../../policy/provider-spec.ts';
import type { MessageProvider, VerifyResult } from './identity-provider.ts';
import { compileAnswerRules } from './introspection/answer-rules.ts';
import { defaultIdentitySettings } from './identity-settings.ts';
import { readObject, splitToken, type Read } from './jwt/parse-token.ts';
import { toIdentity } from './jwt/to-identity.ts';
import { compileTokenRules } from './jwt/token-rules.ts';
import { judgeTokenReview } from './service-account/judge-token-review.ts';
import { notAnAccount, parseAccount } from './service-account/read-account-token.ts';

/**
 * What `createDangerouslyBelievingProvider` takes for a token of these claims: of the form by which a request's provider is chosen (S17), a
 * JWT of the issuer or something opaque.
 */
export function writeBelievedToken(spec: ClaimsProviderSpec, claims: JsonObject): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  if (spec.type !== 'JWT') return encode(claims);
  return `${encode({ alg: 'none' })}.${encode({ iss: spec.issuer, ...claims })}.${encode('made up')}`;
}

/** DANGEROUS: takes every token for what it says, unsigned and expired ones too. For explanations of made-up identities, which decide nothing. */
export function createDangerouslyBelievingProvider(spec: ClaimsProviderSpec): MessageProvider {
  const identify = compileBelief(spec);
  return {
    layer: 'message',
    spec,
    places: placesOf(spec),
    firstLoad: Promise.resolve(),
    verify: ({ token }) => {
      const claims = readClaims(spec, token);
      return 'denial' in claims ? claims : identify(claims.value);
    },
    status: () => ({ keys: 0, keyAgeSeconds: undefined, lastError: undefined }),
    close: () => undefined,
  };
}

function readClaims(spec: ClaimsProviderSpec, token: string): Read<JsonObject> {
  if (spec.type !== 'JWT') return readObject('payload', Buffer.from(token, 'base64url'));
  const segments = splitToken(token, defaultIdentitySettings.maxTokenBytes);
  return 'denial' in segments ? segments : readObject('payload', segments.value.payload);
}

function compileBelief(spec: ClaimsProviderSpec): (claims: JsonObject) => VerifyResult {
  switch (spec.type) {
    case 'JWT': {
      const rules = compileTokenRules(spec);
      return (claims) => ({ identity: toIdentity(claims, rules, spec.name) });
    }
    case 'Introspection': {
      const rules = compileAnswerRules(spec);
      return (claims) => {
        const iss = ownMember(claims, 'iss') ?? rules.issuer;
        return { identity: toIdentity(claims, { ...rules, issuer: typeof iss === 'string' ? iss : '' }, spec.name) };
      };
    }
    case 'ServiceAccount':
      return (claims) => believeAccount(claims, spec);
  }
}

/** As the API server would vouch for the account that `sub` names. */
function believeAccount(claims: JsonObject, spec: ServiceAccountProviderSpec): VerifyResult {
  const subject = ownMember(claims, 'sub');
  const account = typeof subject === 'string' ? parseAccount(subject) : undefined;
  if (typeof subject !== 'string' || account === undefined) return { denial: notAnAccount };
  const user = serviceAccountUser(account);
  const review = { authenticated: true, user, audiences: spec.audiences, hasError: false };
  return judgeTokenReview(review, { subject, expiresAt: undefined }, spec);
}
