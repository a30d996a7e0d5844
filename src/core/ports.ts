import type { Decision } from './decision.ts';
import type { RawRequest, Request } from './request.ts';

/** Decides one request. Never throws and never rejects: whatever fails inside is a Deny. Answers at once where nothing has to be awaited. */
export interface Authorizer {
  check(raw: RawRequest): Decision | Promise<Decision>;
  /** The answer where no RawRequest could be made or no decision came in time. */
  refuse(code: 'request_undecodable' | 'deadline_exceeded' | 'internal_error' | 'not_ready'): Decision;
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

/**
 * A list of short texts, each with an end, of which every process that shares it holds a whole copy: what one adds the others have within a
 * second. Nothing is taken out before its end, so two copies are brought together by taking both.
 */
export interface SharedList {
  /** The copy of this process, by entry: when it ends, milliseconds since the epoch. What has ended goes out within a few seconds. */
  readonly entries: ReadonlyMap<string, number>;
  /**
   * Adds an entry, or lets one last longer; never shorter. It is in `entries` at once. Resolves when it is in what all share; rejects with a
   * Failure `store_unavailable` where that cannot be known: it stays in this process, and is shared as soon as it can be.
   */
  add(entry: string, expiresAt: number): Promise<void>;
  /**
   * Why the copy may lack what others added longer than two seconds ago, one line without a secret; undefined while it lacks nothing. Who denies
   * by the list decides what this means: a list that cannot be read says nothing of who is not on it.
   */
  unreadable(): string | undefined;
  /** Calls with what came in and what went out; the returned function ends it. */
  onChange(listener: (change: SharedListChange) => void): () => void;
  close(): void;
}

export interface SharedListChange {
  readonly added: readonly string[];
  readonly ended: readonly string[];
}

/** Fetches bytes from outside. One implementation (runtime/http-client.ts) keeps every rule: time-out, size cap, no redirects, private addresses. */
export interface HttpClient {
  /** GET. Throws a Failure for everything but a 200 within the limits. */
  get(url: string, options: HttpGetOptions): Promise<Uint8Array>;
}

export interface HttpGetOptions {
  /** For the whole exchange, milliseconds. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** PEM certificates to trust instead of the system's. */
  readonly ca: string | undefined;
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
}

/** Where a policy has an expression: `when` of a rule that allows, `when` of a Denied rule, a header for the upstream. */
export type ExpressionPlace = 'condition' | 'denied_rule' | 'header';

/** Told of every evaluation of an expression that gave no value, whatever became of the request, for metrics. */
export interface ExpressionEvents {
  expressionFailed(place: ExpressionPlace): void;
}
