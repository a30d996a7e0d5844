import type { RequestRoute } from '../core/request.ts';
import type { JsonObject } from '../core/json.ts';
import type { AccessGrant } from './granted-access.ts';

/** Decisions as data: policies, issuers that are thrown away, and what becomes of requests. */
export interface PolicyTest {
  readonly name: string;
  /** Files, folders or globs, relative to the file of the test. */
  readonly policies: readonly string[];
  readonly options: PolicyTestOptions;
  /** By the name of the provider that each stands in for. */
  readonly issuers: Readonly<Record<string, { readonly alg?: string }>>;
  readonly tokens: Readonly<Record<string, TokenSpec>>;
  readonly cases: readonly DecisionCase[];
}

export interface PolicyTestOptions {
  /** ISO 8601. */
  readonly now?: string;
  /** What the proxy says of the connection (`request.scheme`). */
  readonly transport?: 'HTTP' | 'HTTPS';
  readonly trustedHops?: number;
  readonly shadowAll?: boolean;
  readonly ownedHeaders?: readonly string[];
  /** Ranges of addresses. */
  readonly forwardedClientCertFrom?: readonly string[];
  readonly hostGrants?: Readonly<Record<string, readonly string[]>>;
  /** What Kubernetes allows, and nothing else; without it nobody can be asked. */
  readonly accessGrants?: readonly AccessGrant[];
}

export interface TokenSpec {
  readonly issuer?: string;
  /** The token whose fields it has where it has none of its own; claims and header are merged. */
  readonly extends?: string;
  /** A null takes a claim away. */
  readonly claims?: JsonObject;
  readonly header?: JsonObject;
  readonly sign?: 'OtherKey' | 'None' | 'HmacWithPublicKey';
}

export interface CaseRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly clientIp: string | undefined;
  /** What the proxy's configuration sets for the route (Envoy `context_extensions`). */
  readonly contextExtensions?: Readonly<Record<string, string>>;
  /** The route that the proxy says it chose (Envoy `route_metadata_context`). */
  readonly route?: RequestRoute | undefined;
  /** What the proxy says of the certificate that the client showed it; the certificate is PEM. */
  readonly peer?: { readonly principal?: string; readonly certificate?: string } | undefined;
}

export interface DecisionCase {
  readonly name: string;
  readonly request: CaseRequest | undefined;
  /** A CheckRequest as JSON, for what no proxy sends. */
  readonly check: JsonObject | undefined;
  /** The file of one, relative to the file of the test. */
  readonly checkFile: string | undefined;
  /** The name of a token, or none. */
  readonly token: string | undefined;
  readonly expect: Expectation;
}

/** What is not there is not looked at. */
export interface Expectation {
  readonly decision: 'allow' | 'deny';
  readonly status?: number;
  readonly code?: string;
  readonly policy?: string;
  readonly rule?: string;
  readonly upstreamHeaders?: Readonly<Record<string, string>>;
  readonly removedHeaders?: readonly string[];
  /** Part of the WWW-Authenticate header. */
  readonly challenge?: string;
  readonly responseHeaders?: Readonly<Record<string, string>>;
}
