import { compileClaimPath, type ClaimReader } from '../../../core/claim-path.ts';
import type { JwtProviderSpec } from '../../../policy/provider-spec.ts';

/** What a provider asks of a token, prepared once. Times are in seconds. */
export interface TokenRules {
  readonly issuer: string;
  readonly audiences: ReadonlySet<string>;
  readonly algorithms: ReadonlySet<string>;
  readonly profile: JwtProviderSpec['profile'];
  readonly clockSkew: number;
  readonly maxLifetime: number | undefined;
  readonly requiredClaims: readonly NamedClaim[];
  readonly binding: JwtProviderSpec['binding'];
  readonly subject: NamedClaim;
  readonly scopes: readonly ClaimReader[];
  readonly roles: readonly ClaimReader[];
}

export interface NamedClaim {
  readonly name: string;
  readonly read: ClaimReader;
}

/** Prepares the rules of one provider. */
export function compileTokenRules(spec: JwtProviderSpec): TokenRules {
  return {
    issuer: spec.issuer,
    audiences: new Set(spec.audiences),
    algorithms: new Set(spec.algorithms),
    profile: spec.profile,
    clockSkew: spec.clockSkew,
    maxLifetime: spec.maxLifetime,
    requiredClaims: spec.requiredClaims.map(toNamedClaim),
    binding: spec.binding,
    subject: toNamedClaim(spec.claims.subject),
    scopes: spec.claims.scopes.map(compileClaimPath),
    roles: spec.claims.roles.map(compileClaimPath),
  };
}

function toNamedClaim(name: string): NamedClaim {
  return { name, read: compileClaimPath(name) };
}
