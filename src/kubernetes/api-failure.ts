import { Failure, messageOf } from '../core/failure.ts';

/** What an exchange with the API server can fail with. */
export type ApiFailureCode =
  | 'api_config'
  | 'api_unreachable'
  | 'api_timeout'
  | 'api_unauthorized'
  | 'api_forbidden'
  | 'api_not_found'
  | 'api_conflict'
  | 'api_gone'
  | 'api_throttled'
  | 'api_refused'
  | 'api_unavailable'
  | 'api_too_large'
  | 'api_malformed'
  | 'api_silent';

/** An exchange with the API server that did not do what it should. */
export class ApiFailure extends Failure {
  declare readonly code: ApiFailureCode;
  /** How long the server asks us to wait (Retry-After), milliseconds; undefined where it does not say. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ApiFailureCode, message: string, details: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(code, message, { cause: details.cause });
    this.name = 'ApiFailure';
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The code that stands for an HTTP status of the API server other than 2xx. */
export function codeOfStatus(status: number): ApiFailureCode {
  switch (status) {
    case 401:
      return 'api_unauthorized';
    case 403:
      return 'api_forbidden';
    case 404:
      return 'api_not_found';
    case 409:
      return 'api_conflict';
    case 410:
      return 'api_gone';
    case 429:
      return 'api_throttled';
    default:
      return status >= 500 ? 'api_unavailable' : 'api_refused';
  }
}

/** Where the chart makes no roles its values grant nothing. */
export const byHand = '; with rbac.create off write the role yourself (docs/kubernetes.md)';

/** What a write failed with, for the log: of one that RBAC refuses with the remedy. */
export function sayWhyNotWritten(thrown: unknown): string {
  const message = messageOf(thrown);
  if (isApiFailure(thrown, 'api_forbidden'))
    return `${message}; the chart grants it with rbac.create and publishStatus, and publishStatus off does without${byHand}`;
  // The schema of the server has no such field.
  if (message.includes('field not declared in schema'))
    return `${message}; the CRDs are older than this service: upgrade the release that owns them, and where none does, apply deploy/crds.yaml`;
  return message;
}

/** True where `thrown` is an ApiFailure of one of these codes. */
export function isApiFailure(thrown: unknown, ...codes: readonly ApiFailureCode[]): thrown is ApiFailure {
  return thrown instanceof ApiFailure && codes.includes(thrown.code);
}

/** True for what every exchange would fail with now: the API server is away, has enough of us or does not know us. */
export function isForAll(thrown: unknown): boolean {
  return isApiFailure(
    thrown,
    'api_unreachable',
    'api_timeout',
    'api_unavailable',
    'api_throttled',
    'api_unauthorized',
    'api_config',
  );
}
