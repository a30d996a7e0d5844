import type { KeyMaterial } from '../phases/identity/create-provider-keys.ts';
import type { IdentityPorts } from '../phases/identity/identity-ports.ts';
import type { IdentityProvider } from '../phases/identity/identity-provider.ts';
import { createJwtProvider } from '../phases/identity/jwt-provider.ts';
import type { Material } from '../policy/read-material.ts';
import { specKey, type ConfigMapKey, type IdentityProviderSpec } from '../policy/spec.ts';

/** The providers at work. One stays as it is, with its keys and verified tokens, until its document or what that refers to changes. */
export interface ProviderPool {
  /** The providers for these specs by key; those that are new begin to load their keys. */
  ensure(
    specs: ReadonlyMap<string, IdentityProviderSpec>,
    materials: ReadonlyMap<string, Material>,
  ): ReadonlyMap<string, IdentityProvider>;
  /** Ends every provider that is not among these. */
  retain(providers: ReadonlyMap<string, IdentityProvider>): void;
  close(): void;
}

interface Pooled {
  readonly spec: IdentityProviderSpec;
  readonly keysText: string | undefined;
  readonly ca: string | undefined;
  readonly provider: IdentityProvider;
}

/** Makes a provider of its spec and of what that refers to. */
export type CreateProvider = (
  spec: IdentityProviderSpec,
  material: KeyMaterial,
  ports: IdentityPorts,
) => IdentityProvider;

export function createProviderPool(
  ports: IdentityPorts,
  createProvider: CreateProvider = createJwtProvider,
): ProviderPool {
  const pool = new Set<Pooled>();
  const ensureOne = (spec: IdentityProviderSpec, materials: ReadonlyMap<string, Material>): IdentityProvider => {
    const keysText = spec.keys.type === 'ConfigMap' ? textOf(spec.keys.ref, materials) : undefined;
    const ca = spec.ca === undefined ? undefined : textOf(spec.ca, materials);
    for (const pooled of pool) {
      if (pooled.spec === spec && pooled.keysText === keysText && pooled.ca === ca) return pooled.provider;
    }
    const provider = createProvider(spec, { keysText, ca }, ports);
    pool.add({ spec, keysText, ca, provider });
    return provider;
  };
  const retain = (kept: ReadonlySet<IdentityProvider>): void => {
    for (const pooled of pool) {
      if (kept.has(pooled.provider)) continue;
      pooled.provider.close();
      pool.delete(pooled);
    }
  };
  return {
    ensure: (specs, materials) => new Map([...specs].map(([key, spec]) => [key, ensureOne(spec, materials)])),
    retain: (providers) => retain(new Set(providers.values())),
    close: () => retain(new Set()),
  };
}

/** The text of a ConfigMap's key; undefined where it is missing. */
export function textOf(
  { namespace, name, key }: ConfigMapKey,
  materials: ReadonlyMap<string, Material>,
): string | undefined {
  return materials.get(specKey({ kind: 'ConfigMap', namespace, name }))?.data.get(key);
}
