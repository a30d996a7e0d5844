import { findRefused } from '../phases/identity/clients/find-refused.ts';
import { needsOf, selectMaterials } from '../policy/providers/provider-material.ts';
import type { IdentityProviderSpec } from '../policy/provider-spec.ts';
import type { Material } from '../policy/read-material.ts';

/** Which of these Secrets the provider selects and would refuse, and why, for tools; undefined where there is none. Holds nothing of their data. */
export function refusedSecrets(spec: IdentityProviderSpec, materials: Iterable<Material>): string | undefined {
  const { selector } = needsOf(spec);
  if (selector === undefined) return undefined;
  const own = [...materials].filter(({ namespace }) => namespace === selector.namespace);
  return findRefused(spec, selectMaterials(own, selector));
}
