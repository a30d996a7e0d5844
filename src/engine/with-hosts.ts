import type { HostConflict } from '../core/status.ts';
import type { AccessPolicySpec } from '../policy/spec.ts';
import type { CatalogEntry } from './catalog-entry.ts';

/** The policy with these of its hosts alone; `known` where it has them already. */
export function withHosts(
  whole: AccessPolicySpec,
  known: CatalogEntry['inForce'],
  hosts: readonly string[],
): CatalogEntry['inForce'] {
  if (hosts.length === whole.hosts.length) return whole;
  const next = { ...whole, hosts };
  return isSameJson(known, next) ? known : next;
}

/** Conflicts in the order in which they are told. */
export function sortConflicts(conflicts: Iterable<HostConflict>): readonly HostConflict[] {
  return [...conflicts].sort((a, b) => (a.host < b.host ? -1 : 1));
}

export function isSameJson(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
