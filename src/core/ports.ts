import type { Decision } from './decision.ts';
import type { AccessQuestion, AccessReview, TokenReview } from './kubernetes-review.ts';
import type { PasswordHash } from './password-hash.ts';
import type { RawRequest, Request } from './request.ts';

/** Decides one request. Never throws and never rejects: whatever fails inside is a Deny. Answers at once where nothing has to be awaited. */
export interface Authorizer {
  /** `mayWait` false: a verdict of a shadow that is not there at once is left out (S9); the decision itself may wait all the same. Default true. */
  check(raw: RawRequest, mayWait?: boolean): Decision | Promise<Decision>;
  /** The answer where no RawRequest could be made, no decision came in time, or too many are under way for one more. */
  refuse(code: 'request_undecodable' | 'deadline_exceeded' | 'overloaded' | 'internal_error' | 'not_ready'): Decision;
}

export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Monotonic, milliseconds since an arbitrary start. */
  monotonic(): number;
}

export interface Timers {
  /** Calls once after the delay (milliseconds); the returned function cancels. Does not keep the process alive. */
  after(delayMs: number, action: () => void): () => void;
}

export interface Random {
  /** A fresh identifier of at least 120 random bits: `[0-9a-f-]+`. */
  id(): string;
  /** Uniform in [0, 1). Not for secrets. */
  fraction(): number;
}

/** Remembers what may be used once, for all who share it. */
export interface ReplayStore {
  /**
   * True where the key was not there, and is from now on for `ttlMs` milliseconds. Throws or rejects with a Failure `store_unavailable` where
   * that cannot be known or kept: the caller denies with 503.
   */
  remember(key: string, ttlMs: number): boolean | Promise<boolean>;
}

/**
 * A list of short texts, each with an end, of which every process that shares it holds a whole copy: what one adds the others have within a
 * second. Nothing is taken out before its end, so two copies are brought together by taking both.
 */
export interface SharedList {
  /** Who shares it. With `workers` alone it is no source of its own: what it brings is told as from where it came. */
  readonly among: 'replicas' | 'workers';
  /** So many entries are held; of a list that is longer none says who is not on it, and it is `unreadable`. */
  readonly maxEntries: number;
  /** The copy of this process, by entry: when it ends, whole milliseconds since the epoch. What has ended goes out within a few seconds. */
  readonly entries: ReadonlyMap<string, number>;
  /**
   * Adds an entry, or lets one last longer; never shorter. An end within a millisecond is that millisecond's. It is in `entries` at once. Resolves when it is in what all share; rejects with a
   * Failure `store_unavailable`, or `worker_silent`, where that cannot be known: it stays in this process, and is shared as soon as it can be.
   */
  add(entry: string, expiresAt: number): Promise<void>;
  /**
   * Why the copy may lack what others added longer than two seconds ago, one line without a secret; undefined while it lacks nothing. Who denies
   * by the list decides what this means: a list that cannot be read says nothing of who is not on it.
   */
  unreadable(): string | undefined;
  /**
   * How long ago the copy last lacked nothing, milliseconds, for who begins with the copy of somebody else while it is `unreadable`. Undefined: that is
   * not known. Absent: every copy is read by its own process.
   */
  readAgeMs?(): number | undefined;
  /** Calls with what came in and what went out; the returned function ends it. */
  onChange(listener: (change: SharedListChange) => void): () => void;
  close(): void;
}

export interface SharedListChange {
  /** What came in, and what is to last longer than before. */
  readonly added: readonly string[];
  readonly ended: readonly string[];
}

/** Asks others over HTTP. One implementation (runtime/http-client.ts) keeps every rule: time-out, size cap, no redirects, private addresses. */
export interface HttpClient {
  /** GET. Throws a Failure for everything but a 200 within the limits. */
  get(url: string, limits: HttpLimits): Promise<Uint8Array>;
  /** As `get`, where processes fetch together: what another one was answered lately does as well, with its age. Absent: every process fetches for itself. */
  getShared?(url: string, limits: HttpLimits): Promise<KeptAnswer>;
  /**
   * The last good answer to such a `getShared`, for who begins while nobody answers; undefined where none is kept. Absent: nothing is ever kept.
   */
  recall?(url: string, limits: HttpLimits): Promise<KeptAnswer | undefined>;
  /**
   * Sends a body and gives the answer, whatever its status. Throws a Failure for a redirect and where no whole answer came within the
   * limits. Connections are kept; a request whose kept connection was closed meanwhile is sent once more, so it must be one that may come twice.
   */
  send(url: string, request: HttpRequest, limits: HttpLimits): Promise<HttpResponse>;
}

/** What a server answered `ageMs` milliseconds ago. */
export interface KeptAnswer {
  readonly body: Uint8Array;
  readonly ageMs: number;
}

export interface HttpRequest {
  readonly method: 'POST';
  /** Names in lower case; `content-type` among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpResponse {
  readonly status: number;
  /** The field as it came; empty where there is none. */
  readonly contentType: string;
  readonly body: Uint8Array;
}

export interface HttpLimits {
  /** For the whole exchange, milliseconds. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** PEM certificates to trust instead of the system's. */
  readonly ca: string | undefined;
  /** A request waits for something newer: where processes fetch together, what one of them fetched before does not do. */
  readonly isUrgent?: boolean;
  /** How old an answer may be that nobody waits for, milliseconds, where processes fetch together. */
  readonly maxAgeMs?: number;
}

/** Computes hashes of passwords where no request waits for it. */
export interface PasswordChecker {
  /** True where the password is that of the hash. Rejects with a Failure where that could not be computed. */
  matches(hash: PasswordHash, password: string): Promise<boolean>;
}

/**
 * Asks the API server of a cluster who somebody is and what somebody may. Both reject with a Failure where no answer came that can be
 * believed; who asks denies then.
 */
export interface KubernetesReviews {
  /** TokenReview (authentication.k8s.io/v1). The token goes to nobody else and is kept nowhere. */
  reviewToken(token: string, audiences: readonly string[]): Promise<TokenReview>;
  /** SubjectAccessReview (authorization.k8s.io/v1). */
  reviewAccess(question: AccessQuestion): Promise<AccessReview>;
  /** Why the last question of that kind had no answer; undefined where it had one, or none was asked. Holds no secret. */
  failure(kind: ReviewKind): string | undefined;
}

export const reviewKinds = ['token', 'access'] as const;
export type ReviewKind = (typeof reviewKinds)[number];

/** `refused`: the API server said no; `skipped`: it was not asked, because it does not answer or too many questions wait. */
export const reviewResults = ['granted', 'refused', 'failed', 'skipped'] as const;
export type ReviewResult = (typeof reviewResults)[number];

/** Told of every question to the API server, for metrics. `durationMs` is 0 where it was not asked. */
export interface ReviewEvents {
  reviewed(kind: ReviewKind, result: ReviewResult, durationMs: number): void;
}

/** What the service tells its operator, structured; fields never hold a secret. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

/** Told of every decision: the decision log and the decision metrics stand behind it. */
export interface DecisionSink {
  /** `request` is undefined where none could be read; `durationMs` is from the check's arrival to the decision. */
  record(decision: Decision, request: Request | undefined, durationMs: number): void;
}

/** Told of what happens to keys and tokens, for metrics. */
export interface IdentityEvents {
  tokenCache(result: 'hit' | 'miss'): void;
  keyFetch(provider: string, result: 'ok' | 'failed', durationMs: number): void;
  /** An issuer was asked about a token. `skipped`: it was not, because it does not answer or too many wait; of no duration. */
  introspection(provider: string, result: IntrospectionResult, durationMs: number): void;
  passwordCheck(result: PasswordCheckResult): void;
}

export const introspectionResults = ['active', 'inactive', 'failed', 'skipped'] as const;
export type IntrospectionResult = (typeof introspectionResults)[number];

/** What became of a name and a password; `busy`: too many waited already. */
export const passwordCheckResults = ['remembered', 'right', 'wrong', 'busy', 'failed'] as const;
export type PasswordCheckResult = (typeof passwordCheckResults)[number];

/** Where a policy has an expression: `when` of a rule that allows, `when` of a Denied rule, a header for the upstream, a question to Kubernetes. */
export type ExpressionPlace = 'condition' | 'denied_rule' | 'header' | 'kubernetes';

/** Told of every evaluation of an expression that gave no value, whatever became of the request, for metrics. */
export interface ExpressionEvents {
  expressionFailed(place: ExpressionPlace): void;
}
