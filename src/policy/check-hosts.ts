import { compileOnce } from '../std/shared-values.ts';
import { widerPatterns } from './read-host.ts';

/** Namespace → the host patterns that the operator grants it (S10). */
export type HostGrants = ReadonlyMap<string, readonly string[]>;
/** Undefined: hosts belong to whoever claims them first, and `*` to nobody. `unknown`: nobody asks the operator (`validate`). */
export type GrantSetting = HostGrants | 'unknown' | undefined;

export interface HostClaim {
  readonly namespace: string;
  readonly pattern: string;
}

export type HostVerdict =
  | { readonly kind: 'owned' }
  | { readonly kind: 'not-granted' }
  /** `isHeld`: the other holds the host in the snapshot in force, so that it is theirs; else it is nobody's. */
  | { readonly kind: 'conflict'; readonly with: string; readonly isHeld: boolean };

/** True where the operator grants hosts: then nothing else decides whose a host is. */
export function areGranted(grants: GrantSetting): grants is HostGrants {
  return grants !== undefined && grants !== 'unknown';
}

/** Nobody has `*` without a grant: who asks for it takes no host from others. */
export function isClaimable(grants: GrantSetting, pattern: string): boolean {
  return pattern !== '*' || grants !== undefined;
}

/**
 * Who owns which host (S10). With grants, the most specific grant that covers a pattern decides. Without, whoever holds the host,
 * or a wildcard above it, already; two newcomers of different namespaces both conflict, for in files nothing has an age.
 */
export function compileHostOwnership(
  grants: GrantSetting,
  claimed: HostClaims,
  held: HostClaims,
): (claim: HostClaim) => HostVerdict {
  if (areGranted(grants)) return (claim) => grantVerdict(grants, claim);
  return (claim) => {
    if (!isClaimable(grants, claim.pattern)) return { kind: 'not-granted' };
    const holders = overlapsWith(held, claim);
    if (holders.own) return { kind: 'owned' };
    const rival = holders.other ?? overlapsWith(claimed, claim).other;
    return rival === undefined
      ? { kind: 'owned' }
      : { kind: 'conflict', with: rival, isHeld: holders.other !== undefined };
  };
}

function grantVerdict(grants: HostGrants, { namespace, pattern }: HostClaim): HostVerdict {
  return grantedTo(grants, pattern).includes(namespace) ? { kind: 'owned' } : { kind: 'not-granted' };
}

/** The namespaces of the most specific grant that covers the pattern; none where there is none. */
export function grantedTo(grants: HostGrants, pattern: string): readonly string[] {
  const byPattern = ownersByPattern(grants);
  for (const wide of [pattern, ...widerPatterns(pattern)]) {
    const owners = byPattern.get(wide);
    if (owners !== undefined) return owners;
  }
  return [];
}

/** Who is named as the owner of a pattern that is granted to somebody else; undefined where it is granted to nobody. */
export function ownerByGrant(grants: GrantSetting, pattern: string): string | undefined {
  return areGranted(grants) ? grantedTo(grants, pattern)[0] : undefined;
}

/** Grants are the operator's and do not change while the process lives. */
const ownersByPattern = compileOnce((grants: HostGrants): ReadonlyMap<string, readonly string[]> => {
  const owners = new Map<string, Set<string>>();
  for (const [owner, patterns] of grants) {
    for (const pattern of patterns) {
      const known = owners.get(pattern) ?? new Set();
      owners.set(pattern, known.add(owner));
    }
  }
  return new Map([...owners].map(([pattern, set]) => [pattern, [...set].sort()]));
});

/** Which namespaces claim what. */
export interface HostClaims {
  /** Pattern → the namespaces that claim exactly it. */
  readonly exact: ReadonlyMap<string, ReadonlySet<string>>;
  /** Pattern → the namespaces that claim it or anything below it. */
  readonly atOrBelow: ReadonlyMap<string, ReadonlySet<string>>;
  add(claim: HostClaim): void;
}

/** Gathers claims; those that nobody can have are left out. */
export function gatherHostClaims(grants: GrantSetting): HostClaims {
  const exact = new Map<string, Set<string>>();
  const atOrBelow = new Map<string, Set<string>>();
  const put = (map: Map<string, Set<string>>, pattern: string, namespace: string): void => {
    const set = map.get(pattern);
    if (set === undefined) map.set(pattern, new Set([namespace]));
    else set.add(namespace);
  };
  const add = ({ namespace, pattern }: HostClaim): void => {
    if (!isClaimable(grants, pattern)) return;
    put(exact, pattern, namespace);
    for (const wide of [pattern, ...widerPatterns(pattern)]) put(atOrBelow, wide, namespace);
  };
  return { exact, atOrBelow, add };
}

/** Whether the namespace itself claims the pattern or a wildcard above it, and which other namespace claims anything that overlaps it. */
function overlapsWith(
  claims: HostClaims,
  { namespace, pattern }: HostClaim,
): { readonly own: boolean; readonly other: string | undefined } {
  const above = [pattern, ...widerPatterns(pattern)].flatMap((wide) => [...(claims.exact.get(wide) ?? [])]);
  const rivals = [...(claims.atOrBelow.get(pattern) ?? []), ...above].filter((owner) => owner !== namespace);
  return { own: above.includes(namespace), other: rivals.sort()[0] };
}
