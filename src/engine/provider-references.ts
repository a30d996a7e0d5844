import { hasLabels, providerMaterialRefs } from '../policy/providers/provider-material.ts';
import type { IdentityProviderSpec, SecretSelector } from '../policy/provider-spec.ts';
import type { Material } from '../policy/read-material.ts';
import { materialKey, type MaterialRef } from '../policy/spec.ts';
import { specKey } from '../policy/spec-name.ts';
import { createMultiMap } from '../std/multi-map.ts';
import type { MaterialChange } from './materials.ts';

/** Which providers refer to what, so that a Secret that changes costs those alone that it concerns. */
export interface ProviderReferences {
  /** What the provider of the key refers to from now on; undefined: it is gone. */
  put(provider: string, spec: IdentityProviderSpec | undefined): void;
  /** The keys of the providers that find other Secrets or ConfigMaps after these changes. */
  concernedBy(changes: readonly MaterialChange[]): ReadonlySet<string>;
}

export function createProviderReferences(): ProviderReferences {
  const known = new Map<string, readonly MaterialRef[]>();
  const users = createMultiMap();
  /** Those in use, by namespace and key. */
  const selectors = new Map<string, Map<string, SecretSelector>>();
  const drop = (provider: string, ref: MaterialRef): void => {
    const key = materialKey(ref);
    users.delete(key, provider);
    if ('name' in ref || users.has(key)) return;
    const own = selectors.get(ref.namespace);
    own?.delete(key);
    if (own?.size === 0) selectors.delete(ref.namespace);
  };
  const add = (provider: string, ref: MaterialRef): void => {
    const key = materialKey(ref);
    users.add(key, provider);
    if ('name' in ref) return;
    const own = selectors.get(ref.namespace);
    if (own === undefined) selectors.set(ref.namespace, new Map([[key, ref]]));
    else own.set(key, ref);
  };
  /** The references that find it. */
  const referencesTo = (material: Material): readonly string[] => {
    if (material.reference !== undefined) return [material.reference];
    const own = [...(selectors.get(material.namespace) ?? [])];
    return [specKey(material), ...own.flatMap(([key, { labels }]) => (hasLabels(material, labels) ? [key] : []))];
  };
  return {
    put: (provider, spec) => {
      for (const ref of known.get(provider) ?? []) drop(provider, ref);
      const refs = spec === undefined ? [] : providerMaterialRefs(spec);
      for (const ref of refs) add(provider, ref);
      if (refs.length === 0) known.delete(provider);
      else known.set(provider, refs);
    },
    concernedBy: (changes) => {
      const versions = changes.flatMap(({ before, after }) => [before ?? [], after ?? []].flat());
      const references = new Set(versions.flatMap(referencesTo));
      return new Set([...references].flatMap((reference) => [...users.get(reference)]));
    },
  };
}
