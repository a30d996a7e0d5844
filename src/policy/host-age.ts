import type { HostConflict } from '../core/status.ts';
import { areGranted, grantedTo, ownerByGrant, type GrantSetting } from './check-hosts.ts';
import { widerPatterns } from './read-host.ts';

/** A policy that names a host, with its age. */
export interface AgedClaim {
  readonly namespace: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** Who claims exactly the pattern. */
export type ClaimsAt = (pattern: string) => Iterable<AgedClaim>;

/**
 * Who owns a host among documents that have an age (S10): with grants whom the most specific one names, else the namespace of the oldest
 * policy that claims the pattern or a wildcard above it. Undefined where the host is the namespace's own.
 */
export function hostConflict(
  grants: GrantSetting,
  claimsAt: ClaimsAt,
  namespace: string,
  host: string,
): HostConflict | undefined {
  if (areGranted(grants))
    return grantedTo(grants, host).includes(namespace) ? undefined : { host, owner: ownerByGrant(grants, host) };
  if (host === '*' && grants === undefined) return { host, owner: undefined };
  const owner = oldestClaim(claimsAt, host)?.namespace ?? namespace;
  return owner === namespace ? undefined : { host, owner };
}

/** The oldest of those that claim the pattern or a wildcard above it: by age, then by namespace and name. */
export function oldestClaim(claimsAt: ClaimsAt, pattern: string): AgedClaim | undefined {
  let oldest: AgedClaim | undefined;
  for (const wide of [pattern, ...widerPatterns(pattern)]) {
    for (const claim of claimsAt(wide)) if (oldest === undefined || isOlder(claim, oldest)) oldest = claim;
  }
  return oldest;
}

export function isOlder(a: AgedClaim, b: AgedClaim): boolean {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt;
  if (a.namespace !== b.namespace) return a.namespace < b.namespace;
  return a.name < b.name;
}
