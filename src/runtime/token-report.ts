import type { JsonObject } from '../core/json.ts';
import type { TokenCheck } from '../core/token-inspection.ts';

/** What a token says and why it would be refused. Holds nothing of its signature. */
export interface TokenReport {
  /** Why it is no token at all; then there is nothing else. */
  readonly malformed: { readonly code: string; readonly message: string } | undefined;
  readonly header: JsonObject;
  readonly claims: JsonObject;
  readonly times: readonly TokenTime[];
  /** By provider, in the order of their names; empty where no documents were given. */
  readonly judgements: readonly TokenJudgement[];
  /** Why nobody judged it; undefined where somebody did, or nobody was asked. */
  readonly unjudged: string | undefined;
}

export interface TokenTime {
  readonly claim: 'iat' | 'nbf' | 'exp' | 'auth_time';
  /** ISO 8601. */
  readonly at: string;
  /** `5 minutes ago`, `in 2 hours`. */
  readonly inWords: string;
}

export interface TokenJudgement {
  /** `IdentityProvider shop/okta`. */
  readonly provider: string;
  /** `unverified`: nothing speaks against it, and its signature was not looked at. */
  readonly verdict: 'accepted' | 'refused' | 'unverified';
  readonly checks: readonly TokenCheck[];
}

export interface InspectOptions {
  readonly token: string;
  /** Files and folders; empty: the token is only decoded. */
  readonly policies: readonly string[];
  /** `namespace/name`, or `name` of a cluster provider; undefined: those whose issuer is the token's. */
  readonly provider: string | undefined;
  /** The JSON text of a JWK Set that stands for the provider's keys. */
  readonly jwks: string | undefined;
}

/** Decodes a token and judges it as the providers of the documents would, without a network. Throws a Failure `provider_unknown`, `policies_unreadable`. */
export type InspectToken = (options: InspectOptions, stdin: () => Promise<string>) => Promise<TokenReport>;
