import type { HeaderEntry } from '../core/decision.ts';
import type { JsonObject } from '../core/json.ts';
import type { CheckClientTls, ProxiedRequest } from '../envoy/check-client.ts';

export type { ProxiedRequest } from '../envoy/check-client.ts';

/** What `portcullis check` was answered. What the answer does not say is undefined. */
export interface CheckReport {
  readonly decision: 'allow' | 'deny';
  /** Of a denial the HTTP status that the client gets; 200 for an allow. */
  readonly status: number;
  /** Undefined where the denial does not say it as Portcullis does: dressed by a policy, or another service. */
  readonly code: string | undefined;
  readonly message: string | undefined;
  /** What the decision is called in the log. */
  readonly decisionId: string | undefined;
  /** The policy and rule that decided. */
  readonly policy: string | undefined;
  readonly rule: string | undefined;
  readonly setHeaders: readonly HeaderEntry[];
  readonly removeHeaders: readonly string[];
  readonly removeQueryParameters: readonly string[];
  readonly responseHeaders: readonly HeaderEntry[];
  readonly body: string;
  readonly metadata: JsonObject;
}

export interface AskOptions {
  readonly timeoutMs: number;
  /** Undefined: cleartext. */
  readonly tls: CheckClientTls | undefined;
}

/** Asks the ext_authz service at `HOST:PORT` or `unix:PATH` once. Throws a Failure: `no_answer`, `bad_answer`. */
export type AskService = (address: string, request: ProxiedRequest, options: AskOptions) => Promise<CheckReport>;
