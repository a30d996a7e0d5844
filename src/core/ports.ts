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

/** A list that all replicas share: an entry that one puts in the others have within a second. */
export interface SharedList {
  /** Resolves once the store holds them; rejects with a Failure (`store_unavailable`) where that is not known. */
  add(entries: readonly SharedEntry[]): Promise<void>;
  /** Tells of what is in the list and of what comes into it; the returned function ends it. */
  follow(listener: SharedListListener): () => void;
}

export interface SharedEntry {
  /** Another entry of the same key takes its place. */
  readonly key: string;
  readonly text: string;
  /** Milliseconds since the epoch; the store forgets it some time after. */
  readonly expiresAt: number;
}

export interface SharedListListener {
  /** At the first reading all there are, later those that are new. */
  readonly onEntries: (entries: readonly SharedEntry[]) => void;
  /** The store has just said that nothing is missing here. Called at least every second while it can be reached. */
  readonly onConfirmed: () => void;
  /** It cannot be reached; `why` is a clause without a secret. */
  readonly onFailure: (why: string) => void;
}
