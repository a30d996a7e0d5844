import { denial } from '../../../core/decision.ts';
import type { Identity } from '../../../core/identity.ts';
import type { KubernetesUser, TokenReview } from '../../../core/kubernetes-review.ts';
import type { ServiceAccountProviderSpec } from '../../../policy/provider-spec.ts';
import type { VerifyResult } from '../identity-provider.ts';
import { notAnAccount, parseAccount, type AccountToken } from './read-account-token.ts';

/** The identity that the API server vouches for, where it vouches for the audience too: a server that does not look at audiences names none. */
export function judgeTokenReview(
  { authenticated, user, audiences, hasError }: TokenReview,
  token: AccountToken,
  spec: ServiceAccountProviderSpec,
): VerifyResult {
  if (!authenticated || hasError) return { denial: denial('token_inactive') };
  if (!audiences.some((audience) => spec.audiences.includes(audience)))
    return {
      denial: denial(
        'token_audience',
        'The API server does not say that the token is for an audience of the provider.',
      ),
    };
  const account = parseAccount(user.username);
  // A server may know people by tokens too: these are none of this provider.
  if (account === undefined || user.username !== token.subject) return { denial: notAnAccount };
  return { identity: toIdentity(user, account, token, spec.name) };
}

function toIdentity(
  user: KubernetesUser,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { expiresAt }: AccountToken,
  provider: string,
): Identity {
  return Object.freeze({
    authenticated: true,
    subject: user.username,
    issuer: '',
    provider,
    clientId: '',
    scopes: none,
    // A group of Kubernetes is a role of Kubernetes' own: the policy names it, as a claim.
    roles: none,
    claims: {
      namespace,
      serviceAccount: name,
      uid: user.uid,
      groups: user.groups,
      extra: Object.fromEntries(user.extra),
    },
    expiresAt,
    kubernetesUser: user,
  });
}

const none: readonly string[] = Object.freeze([]);
