/** A user as Kubernetes knows one (authentication.k8s.io/v1 UserInfo). */
export interface KubernetesUser {
  readonly username: string;
  /** Empty where there is none. */
  readonly uid: string;
  readonly groups: readonly string[];
  /** Such as `authentication.kubernetes.io/pod-name`. */
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

/** A service account as the API server tells of it, with the groups that all of them are in. */
export function serviceAccountUser({
  namespace,
  name,
}: {
  readonly namespace: string;
  readonly name: string;
}): KubernetesUser {
  return {
    username: `system:serviceaccount:${namespace}:${name}`,
    uid: '',
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra: new Map(),
  };
}

/** What the API server says of a token (TokenReviewStatus); nothing of it has been judged. */
export interface TokenReview {
  readonly authenticated: boolean;
  readonly user: KubernetesUser;
  /** Those of the audiences asked for that the token is good for; empty from a server that does not look at audiences. */
  readonly audiences: readonly string[];
  /** True where the server says that something went wrong. */
  readonly hasError: boolean;
}

/** May the user do this? (SubjectAccessReviewSpec) */
export interface AccessQuestion {
  readonly user: KubernetesUser;
  readonly attributes: AccessAttributes;
}

export type AccessAttributes =
  | { readonly kind: 'resource'; readonly fields: Readonly<Record<ResourceField, string>> }
  | { readonly kind: 'non-resource'; readonly fields: Readonly<Record<NonResourceField, string>> };

/** An empty text is what Kubernetes takes it for: the core group, no subresource, no namespace or all, every name. */
export const resourceFields = ['group', 'resource', 'subresource', 'verb', 'namespace', 'name'] as const;
export type ResourceField = (typeof resourceFields)[number];

export const nonResourceFields = ['path', 'verb'] as const;
export type NonResourceField = (typeof nonResourceFields)[number];

/** What the authorizers of the cluster say (SubjectAccessReviewStatus); nothing of it has been judged. */
export interface AccessReview {
  readonly allowed: boolean;
  /** True where an authorizer forbids it, whatever another one allows. */
  readonly denied: boolean;
  /** True where an authorizer could not tell. */
  readonly hasError: boolean;
}
