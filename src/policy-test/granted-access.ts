import { Failure } from '../core/failure.ts';
import { ownMember, type JsonObject } from '../core/json.ts';
import { serviceAccountUser, type AccessQuestion, type TokenReview } from '../core/kubernetes-review.ts';
import type { KubernetesReviews } from '../core/ports.ts';

/** What Kubernetes allows in a test: whatever has all that stands here. */
export interface AccessGrant {
  readonly user?: string;
  /** One of the user's groups. */
  readonly userGroup?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly verb?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly path?: string;
}

/** The fields of a grant that are compared with the attributes asked about. */
const compared = ['group', 'resource', 'subresource', 'verb', 'namespace', 'name', 'path'] as const;

/** What the API server knows of a token: its claims; undefined: it gave out no such token. */
export type AccountTokens = (token: string) => JsonObject | undefined;

/**
 * Answers about access as the grants say, and vouches for tokens of service accounts as their claims do; without grants nobody can be asked about
 * access, and without either there is no API server.
 */
export function reviewsOf(
  grants: readonly AccessGrant[] | undefined,
  tokens?: AccountTokens,
): KubernetesReviews | undefined {
  if (grants === undefined && tokens === undefined) return undefined;
  return {
    reviewToken: (token, audiences) => Promise.resolve(toReview(tokens?.(token), audiences)),
    reviewAccess: async (question) => {
      if (grants === undefined) throw new Failure('offline', 'nobody is asked about access offline');
      return { allowed: grants.some((grant) => isGranted(grant, question)), denied: false, hasError: false };
    },
    failure: () => undefined,
  };
}

const nobody: TokenReview = {
  authenticated: false,
  user: { username: '', uid: '', groups: [], extra: new Map() },
  audiences: [],
  hasError: false,
};

/** Kubernetes names the audiences that the token and the question share. */
function toReview(claims: JsonObject | undefined, audiences: readonly string[]): TokenReview {
  const subject = claims && ownMember(claims, 'sub');
  if (claims === undefined || typeof subject !== 'string') return nobody;
  const [namespace = '', name = ''] = subject.split(':').slice(2);
  const aud = ownMember(claims, 'aud');
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return {
    authenticated: true,
    user: serviceAccountUser({ namespace, name }),
    audiences: audiences.filter((audience) => named.includes(audience)),
    hasError: false,
  };
}

function isGranted(grant: AccessGrant, { user, attributes }: AccessQuestion): boolean {
  if (grant.user !== undefined && grant.user !== user.username) return false;
  if (grant.userGroup !== undefined && !user.groups.includes(grant.userGroup)) return false;
  const asked = new Map<string, string>(Object.entries(attributes.fields));
  return compared.every((field) => grant[field] === undefined || grant[field] === asked.get(field));
}
