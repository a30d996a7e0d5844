import { findRefused } from '../phases/identity/clients/find-refused.ts';
import { needsOf, selectMaterials } from '../policy/providers/provider-material.ts';
import type { IdentityProviderSpec } from '../policy/provider-spec.ts';
import type { Material } from '../policy/read-material.ts';

/** What of the Secrets that a provider selects it would refuse. Holds nothing of their data. */
export interface RefusedSecrets {
  /** Each by itself. */
  readonly alone: readonly { readonly secret: Material; readonly why: string }[];
  /** Of the others together: two with one key; undefined where there are none. */
  readonly together: string | undefined;
}

/** Which of these Secrets the provider selects and would refuse, and why, for tools. */
export function refusedSecrets(spec: IdentityProviderSpec, materials: Iterable<Material>): RefusedSecrets {
  const { selector } = needsOf(spec);
  if (selector === undefined) return { alone: [], together: undefined };
  const selected = selectMaterials(
    [...materials].filter(({ namespace }) => namespace === selector.namespace),
    selector,
  );
  const alone = selected.flatMap((secret) => {
    const why = findRefused(spec, [secret]);
    return why === undefined ? [] : [{ secret, why }];
  });
  const refused = new Set(alone.map(({ secret }) => secret));
  return {
    alone,
    together: findRefused(
      spec,
      selected.filter((secret) => !refused.has(secret)),
    ),
  };
}
