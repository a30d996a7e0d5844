import type { JsonObject } from './json.ts';
import type { KubernetesUser } from './kubernetes-review.ts';

/** Who is calling, as one provider says (S19: an identity is the pair of provider and subject). */
export interface Identity {
  /** False for the anonymous identity, whose strings are all empty. */
  readonly authenticated: boolean;
  readonly subject: string;
  readonly issuer: string;
  /** The provider that vouches, as policies write it: its name. */
  readonly provider: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  /** What the credential says; undefined for kinds that have no claims. Read own properties only. */
  readonly claims: JsonObject | undefined;
  /** Seconds since the epoch; undefined where the credential does not end. */
  readonly expiresAt: number | undefined;
  /** Whom the API server of Kubernetes itself named; absent for everybody else, whatever a token says (a claim can say `system:masters`). */
  readonly kubernetesUser?: KubernetesUser;
  /** What its issuer has signalled of it since (Shared Signals); absent where nothing. */
  readonly signals?: IdentitySignals;
}

/** Facts beside the credential; what nobody has signalled is absent. An object of JSON, as expressions read it. */
export type IdentitySignals = {
  /** `LOW`, `MEDIUM` or `HIGH` (CAEP risk-level-change). */
  readonly riskLevel?: string;
  /** As the issuer names it: `nist-aal2` (CAEP assurance-level-change). */
  readonly assuranceLevel?: string;
  /** `compliant` or `not-compliant` (CAEP device-compliance-change). */
  readonly deviceCompliance?: string;
  /** RISC account-disabled and account-enabled; where true, the identity is denied before anybody asks. */
  readonly accountDisabled?: boolean;
  /** Seconds since the epoch at which one of these last got worse: a step-up must be newer. */
  readonly worsenedAt?: number;
};

/** The identity of a request for which nothing was verified (Public rules, S20). */
export const anonymous: Identity = Object.freeze({
  authenticated: false,
  subject: '',
  issuer: '',
  provider: '',
  clientId: '',
  scopes: Object.freeze([]),
  roles: Object.freeze([]),
  claims: undefined,
  expiresAt: undefined,
});
