import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../core/json.ts';
import type { AccessQuestion, AccessReview, KubernetesUser, TokenReview } from '../core/kubernetes-review.ts';
import { ApiFailure } from './api-failure.ts';
import type { ApiRequest } from './kubernetes-api.ts';

/** A TokenReview (authentication.k8s.io/v1). */
export function tokenReviewRequest(token: string, audiences: readonly string[]): ApiRequest {
  return review('authentication.k8s.io', 'TokenReview', { token, audiences });
}

/** A SubjectAccessReview (authorization.k8s.io/v1). Empty attributes are left out, which says the same. */
export function accessReviewRequest({ user, attributes }: AccessQuestion): ApiRequest {
  const { username, uid, groups, extra } = user;
  const given = Object.fromEntries(Object.entries(attributes.fields).filter(([, value]) => value !== ''));
  return review('authorization.k8s.io', 'SubjectAccessReview', {
    user: username,
    ...(uid === '' ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(extra.size === 0 ? {} : { extra: Object.fromEntries(extra) }),
    [attributes.kind === 'resource' ? 'resourceAttributes' : 'nonResourceAttributes']: given,
  });
}

function review(group: string, kind: string, spec: JsonObject): ApiRequest {
  const apiVersion = `${group}/v1`;
  return {
    method: 'POST',
    path: `/apis/${apiVersion}/${kind.toLowerCase()}s`,
    body: { apiVersion, kind, metadata: {}, spec },
  };
}

/** What the answer says; throws an ApiFailure (`api_malformed`) where it has no status. What is not of its type is what denies. */
export function readTokenReview(answer: JsonObject): TokenReview {
  const status = statusOf(answer);
  return {
    authenticated: status['authenticated'] === true,
    user: readUser(ownMember(status, 'user')),
    audiences: texts(status['audiences']),
    hasError: says(status['error']),
  };
}

/** As for a TokenReview; a `denied` that is not a boolean counts as true. */
export function readAccessReview(answer: JsonObject): AccessReview {
  const status = statusOf(answer);
  return {
    allowed: status['allowed'] === true,
    denied: (status['denied'] ?? false) !== false,
    hasError: says(status['evaluationError']),
  };
}

function statusOf(answer: JsonObject): JsonObject {
  const status = ownMember(answer, 'status');
  if (!isJsonObject(status)) throw new ApiFailure('api_malformed', 'the review in the answer has no status');
  return status;
}

function says(error: JsonValue | undefined): boolean {
  return (error ?? '') !== '';
}

function readUser(value: JsonValue | undefined): KubernetesUser {
  const user: JsonObject = isJsonObject(value) ? value : {};
  const extra = ownMember(user, 'extra');
  return {
    username: textOf(ownMember(user, 'username')),
    uid: textOf(ownMember(user, 'uid')),
    groups: texts(ownMember(user, 'groups')),
    extra: new Map(
      Object.entries(isJsonObject(extra) ? extra : {}).map(([name, values]) => [name, texts(values)] as const),
    ),
  };
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function texts(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}
