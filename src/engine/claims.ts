import type { AgedClaim } from '../policy/host-age.ts';
import type { AccessPolicySpec, Spec } from '../policy/spec.ts';
import type { CatalogEntry } from './catalog-entry.ts';

/** The hosts for which the entry stands in the way of others: of what was good last, of what was refused and can be read, and those held. */
export function claimedHosts({ lastGood, refused, holds }: CatalogEntry): readonly string[] {
  const good = enforcedHosts(lastGood);
  const refusedHosts = refused?.policy?.kind === 'AccessPolicy' ? refused.policy.hosts : [];
  if (refusedHosts.length === 0 && (holds.length === 0 || holds === good)) return good;
  return [...new Set([...good, ...refusedHosts, ...holds])];
}

/** The hosts of an enforced policy; none of anything else. */
export function enforcedHosts(spec: Spec | undefined): readonly string[] {
  return spec?.kind === 'AccessPolicy' && spec.mode === 'Enforce' ? spec.hosts : [];
}

/** The hosts of a policy in shadow mode that is in force, whether they are its own or not: it claims none of them (S9). None of anything else. */
export function shadowHosts(entry: CatalogEntry | undefined): readonly string[] {
  const { inForce, lastGood } = entry ?? {};
  return inForce !== undefined && lastGood?.kind === 'AccessPolicy' && lastGood.mode === 'Shadow'
    ? lastGood.hosts
    : none;
}

const none: readonly string[] = [];

/** True where every document of the name comes from a source that knows its age. */
export function isAged({ versions }: CatalogEntry): boolean {
  return versions.every(({ document }) => document.version !== undefined);
}

/** Who claims, and since when; what has no age was always there. */
export function toAgedClaim(entry: CatalogEntry): AgedClaim {
  const { namespace, name } = nameOf(entry);
  return { namespace, name, createdAt: entry.versions[0]?.document.version?.createdAt ?? -Infinity };
}

export function nameOf({ refused, inForce, lastGood }: CatalogEntry): {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
} {
  const { kind, namespace, name } = refused ?? inForce ?? lastGood ?? { kind: '', namespace: '', name: '' };
  return { kind, namespace, name };
}

/** True for a policy whose name cannot be read: it denies, and nothing is told under its key. */
export function isNameless(entry: CatalogEntry): boolean {
  return nameOf(entry).name === '';
}

/** The policy with its own hosts, where the newest version is accepted. */
export function acceptedPolicy({ refused, inForce }: CatalogEntry): AccessPolicySpec | undefined {
  return refused === undefined && inForce?.kind === 'AccessPolicy' ? inForce : undefined;
}
