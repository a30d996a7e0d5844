import type { MissingMaterial } from '../core/status.ts';
import type { KeyMaterial } from '../phases/identity/create-provider-keys.ts';
import type { IdentityPorts } from '../phases/identity/identity-ports.ts';
import type { IdentityProvider } from '../phases/identity/identity-provider.ts';
import { createJwtProvider } from '../phases/identity/jwt-provider.ts';
import type { Material } from '../policy/read-material.ts';
import { specKey, type ConfigMapKey, type IdentityProviderSpec } from '../policy/spec.ts';

/** The providers at work. One stays as it is, with its keys and verified tokens, until its document or what that refers to changes. */
export interface ProviderPool {
  /** By key. */
  readonly running: ReadonlyMap<string, Running>;
  /** Makes the providers that a change asks for; those begin to load their keys. Nothing else is changed by it until `commit`. */
  prepare(change: ProviderChange): PreparedProviders;
  close(): void;
}

export interface Running {
  readonly provider: IdentityProvider;
  /** What it refers to and that is not there: without it, it has no keys. */
  readonly missing: readonly MissingMaterial[];
}

export interface ProviderChange {
  /** The providers whose documents may have changed; undefined: it is gone. */
  readonly specs: ReadonlyMap<string, IdentityProviderSpec | undefined>;
  /** Keys of Secrets and ConfigMaps that changed. */
  readonly changedMaterials: ReadonlySet<string>;
  readonly material: FindMaterial;
}

type FindMaterial = (key: string) => Material | undefined;

export interface PreparedProviders {
  readonly fresh: readonly IdentityProvider[];
  /** The keys behind which another provider stands, or none any more. */
  readonly changed: ReadonlySet<string>;
  get(key: string): IdentityProvider | undefined;
  /** Puts them to work, and ends those whose place they take. */
  commit(): void;
  /** Ends those that are new. */
  discard(): void;
}

interface Pooled extends Running {
  readonly spec: IdentityProviderSpec;
  readonly keysText: string | undefined;
  readonly ca: string | undefined;
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
  const running = new Map<string, Pooled>();
  const pool = (spec: IdentityProviderSpec, known: Pooled | undefined, material: FindMaterial): Pooled => {
    const keysText = spec.keys.type === 'ConfigMap' ? textOf(spec.keys.ref, material) : undefined;
    const ca = spec.ca === undefined ? undefined : textOf(spec.ca, material);
    const missing = missingMaterials(spec, material);
    const isSame = known?.spec === spec && known.keysText === keysText && known.ca === ca;
    if (isSame && isSameMissing(known.missing, missing)) return known;
    return { spec, keysText, ca, missing, provider: createProvider(spec, { keysText, ca }, ports) };
  };
  const prepare = ({ specs, changedMaterials, material }: ProviderChange): PreparedProviders => {
    const asked = new Map(specs);
    if (changedMaterials.size > 0) {
      for (const [key, { spec }] of running) if (!asked.has(key)) asked.set(key, spec);
    }
    const next = new Map<string, Pooled | undefined>();
    for (const [key, spec] of asked) {
      const known = running.get(key);
      const pooled = spec && pool(spec, known, material);
      if (pooled !== known) next.set(key, pooled);
    }
    return {
      fresh: [...next.values()].flatMap((pooled) => pooled?.provider ?? []),
      changed: new Set(next.keys()),
      get: (key) => (next.has(key) ? next.get(key) : running.get(key))?.provider,
      commit: () => {
        for (const [key, pooled] of next) {
          running.get(key)?.provider.close();
          if (pooled === undefined) running.delete(key);
          else running.set(key, pooled);
        }
      },
      discard: () => {
        for (const pooled of next.values()) pooled?.provider.close();
      },
    };
  };
  return {
    running,
    prepare,
    close: () => {
      for (const { provider } of running.values()) provider.close();
      running.clear();
    },
  };
}

/** The keys of ConfigMaps that the provider refers to and that are not there. */
function missingMaterials(spec: IdentityProviderSpec, material: FindMaterial): readonly MissingMaterial[] {
  const keys = spec.keys.type === 'ConfigMap' ? [spec.keys.ref] : [];
  const refs = spec.ca === undefined ? keys : [...keys, spec.ca];
  return refs.flatMap((ref) => {
    if (textOf(ref, material) !== undefined) return [];
    const { namespace, name, key } = ref;
    return [{ namespace, name, key, isWhole: material(specKey({ kind: 'ConfigMap', namespace, name })) === undefined }];
  });
}

function isSameMissing(a: readonly MissingMaterial[], b: readonly MissingMaterial[]): boolean {
  return a.length === b.length && (a.length === 0 || JSON.stringify(a) === JSON.stringify(b));
}

/** The text of a ConfigMap's key; undefined where it is missing. */
export function textOf({ namespace, name, key }: ConfigMapKey, material: FindMaterial): string | undefined {
  return material(specKey({ kind: 'ConfigMap', namespace, name }))?.data.get(key);
}
