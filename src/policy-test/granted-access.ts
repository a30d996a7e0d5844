import { Failure } from '../core/failure.ts';
import type { AccessQuestion } from '../core/kubernetes-review.ts';
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

/** Answers about access as the grants say, and vouches for no token; without a list of grants nobody can be asked. */
export function reviewsOf(grants: readonly AccessGrant[] | undefined): KubernetesReviews | undefined {
  if (grants === undefined) return undefined;
  return {
    reviewToken: () => Promise.reject(new Failure('offline', 'no token is reviewed offline')),
    reviewAccess: (question) => {
      const allowed = grants.some((grant) => isGranted(grant, question));
      return Promise.resolve({ allowed, denied: false, hasError: false });
    },
    failure: () => undefined,
  };
}

function isGranted(grant: AccessGrant, { user, attributes }: AccessQuestion): boolean {
  if (grant.user !== undefined && grant.user !== user.username) return false;
  if (grant.userGroup !== undefined && !user.groups.includes(grant.userGroup)) return false;
  const asked = new Map<string, string>(Object.entries(attributes.fields));
  return compared.every((field) => grant[field] === undefined || grant[field] === asked.get(field));
}
