import type { HeaderEntry, ShadowVerdict } from '../core/decision.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Problem } from '../core/problem.ts';
import type { CandidateFate, CoveringPolicy, RestrictingFate, TracedRule } from '../core/trace.ts';
import type { ProxiedRequest } from '../envoy/check-client.ts';

/** The way of one request to its decision. Nothing of a token; what a person is called, and claims, only where it was asked for. */
export interface Explanation {
  /** True where the identity was made up: then nothing says that anybody could have it. */
  readonly madeUp: boolean;
  /** Of the documents: what was refused is not in force. */
  readonly problems: readonly Problem[];
  /** The request as it was read; undefined where it could not be. */
  readonly request: ReadRequest | undefined;
  /** In the order in which they were made. */
  readonly steps: readonly ExplainedStep[];
  readonly decision: ExplainedDecision;
  /** What of the decision comes of this being no service: what providers lack, what nobody could ask for offline. */
  readonly notes: readonly string[];
}

export interface ReadRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly rawPath: string;
  readonly clientIp: string | undefined;
}

export interface ExplainedDenial {
  readonly code: string;
  readonly message: string;
}

/** A `value` is in words unless values were asked for. */
export type ExplainedStep =
  | { readonly kind: 'covering'; readonly policies: readonly CoveringPolicy[] }
  | { readonly kind: 'path'; readonly path: string }
  | (TracedRule & { readonly kind: 'denied-rule' | 'floor-rule'; readonly fate: RestrictingFate })
  | (TracedRule & {
      readonly kind: 'candidate';
      readonly access: string;
      readonly match: string;
      readonly rank: number;
      readonly fate: CandidateFate;
    })
  | { readonly kind: 'selection'; readonly matched: readonly TracedRule[]; readonly beside: readonly TracedRule[] }
  | { readonly kind: 'search-ended'; readonly by: readonly TracedRule[] }
  | (TracedRule & { readonly kind: 'addresses'; readonly objection: ExplainedDenial | undefined })
  | (TracedRule & {
      readonly kind: 'identity';
      readonly identity: ExplainedIdentity | undefined;
      /** Who connects, where that was asked beside the identity. */
      readonly peer: ExplainedIdentity | undefined;
      readonly objection: ExplainedDenial | undefined;
    })
  | (TracedRule & {
      readonly kind: 'test';
      readonly what: string;
      readonly asks: JsonValue;
      readonly value: JsonValue;
      readonly block: number | undefined;
      readonly objection: ExplainedDenial | undefined;
    });

export interface ExplainedIdentity {
  readonly authenticated: boolean;
  readonly provider: string;
  readonly issuer: string;
  readonly subject: JsonValue;
  readonly scopes: JsonValue;
  readonly roles: JsonValue;
  readonly claims: JsonObject;
}

export interface ExplainedDecision {
  readonly decision: 'allow' | 'deny';
  /** Of a denial the HTTP status; 200 for an allow. */
  readonly status: number;
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly policy: string;
  readonly rule: string;
  readonly setHeaders: readonly (readonly [name: string, value: JsonValue])[];
  readonly removeHeaders: readonly string[];
  readonly removeQueryParameters: readonly string[];
  /** Of the answer to the client; of a denial all of them, its challenges and content type among them. */
  readonly responseHeaders: readonly HeaderEntry[];
  /** Of a denial; empty for an allow. */
  readonly body: string;
  /** What policies in shadow mode would have decided. */
  readonly shadow: readonly ShadowVerdict[];
}

export interface ExplainOptions {
  /** Files and folders; `-` is standard input. */
  readonly policies: readonly string[];
  readonly request: ProxiedRequest;
  readonly trustedHops: number;
  /** Ranges of addresses, as the setting. */
  readonly forwardedClientCertFrom?: readonly string[];
  /** The JSON text of a JWK Set that stands for the keys of every provider. */
  readonly jwks: string | undefined;
  /** The claims of a made-up identity. */
  readonly claims: JsonObject | undefined;
  /** `namespace/name`, or a `name` that is unique, of who vouches for the made-up identity; undefined: who the claims' `iss` or the deciding rule says. */
  readonly provider: string | undefined;
  readonly showValues: boolean;
}

/** Decides a request by policies, without a network, and tells how. Throws a Failure `provider_unknown` for a made-up identity that nobody vouches for, `policies_unreadable` for sources that cannot be read. */
export type Explain = (options: ExplainOptions, stdin: () => Promise<string>) => Promise<Explanation>;
