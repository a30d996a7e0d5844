import { keepReadable, type KeptMaterial } from './keep-readable.ts';
import type { MissingMaterial } from '../core/status.ts';
import type { IdentityPorts } from '../phases/identity/identity-ports.ts';
import type { IdentityProvider } from '../phases/identity/identity-provider.ts';
import { toRevocable } from '../phases/identity/revocation/revocable-provider.ts';
import type { Revocations } from '../phases/identity/revocation/revocations.ts';
import { createProvider, type CreateProvider } from '../phases/identity/create-provider.ts';
import {
  gatherMaterial,
  isSameMaterial,
  missingMaterials,
  type MaterialFinder,
  type ProviderMaterial,
} from '../policy/providers/provider-material.ts';
import type { IdentityProviderSpec } from '../policy/provider-spec.ts';

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
  /** What of before it works with, because what is there now cannot be read; undefined where that is nothing. */
  readonly kept: string | undefined;
}

export interface ProviderChange {
  /** The providers whose documents may have changed; undefined: it is gone. */
  readonly specs: ReadonlyMap<string, IdentityProviderSpec | undefined>;
  /** Keys of Secrets and ConfigMaps that changed. */
  readonly changedMaterials: ReadonlySet<string>;
  readonly findMaterial: MaterialFinder;
}

export interface PreparedProviders {
  readonly fresh: readonly IdentityProvider[];
  /** The keys behind which another provider stands, or none any more. */
  readonly changed: ReadonlySet<string>;
  /** Those, and the keys of the providers that found other Secrets or ConfigMaps, or miss others. */
  readonly news: ReadonlySet<string>;
  /** Those of them whose users are concerned: the provider is another one, or misses something else. */
  readonly concerning: ReadonlySet<string>;
  get(key: string): IdentityProvider | undefined;
  /** Puts them to work, and ends those whose place they take. */
  commit(): void;
  /** Ends those that are new. */
  discard(): void;
}

interface Pooled extends Running {
  readonly spec: IdentityProviderSpec;
  readonly material: ProviderMaterial;
}

export function createProviderPool(
  ports: IdentityPorts,
  revocations: Revocations,
  createPlain: CreateProvider = createProvider,
): ProviderPool {
  const running = new Map<string, Pooled>();
  const create: CreateProvider = (...of) => toRevocable(createPlain(...of), revocations);
  const pool = (spec: IdentityProviderSpec, known: Pooled | undefined, find: MaterialFinder): Pooled =>
    poolOne(
      spec,
      known,
      keepReadable(spec, gatherMaterial(spec, find), known?.material, ports.settings),
      find,
      (material) => create(spec, material, ports),
    );
  const prepare = ({ specs, changedMaterials, findMaterial }: ProviderChange): PreparedProviders => {
    const asked = new Map(specs);
    if (changedMaterials.size > 0) {
      for (const [key, { spec }] of running) if (!asked.has(key)) asked.set(key, spec);
    }
    const next = new Map<string, Pooled | undefined>();
    for (const [key, spec] of asked) {
      const known = running.get(key);
      const pooled = spec && pool(spec, known, findMaterial);
      if (pooled !== known) next.set(key, pooled);
    }
    const isOther = ([key, pooled]: readonly [string, Pooled | undefined]): boolean =>
      running.get(key)?.provider !== pooled?.provider;
    const missesOthers = ([key, pooled]: readonly [string, Pooled | undefined]): boolean =>
      !isSameMissing(running.get(key)?.missing ?? [], pooled?.missing ?? []);
    const others = [...next].filter(isOther);
    return {
      fresh: others.flatMap(([, pooled]) => pooled?.provider ?? []),
      changed: new Set(others.map(([key]) => key)),
      news: new Set(next.keys()),
      concerning: new Set([...next].filter((one) => isOther(one) || missesOthers(one)).map(([key]) => key)),
      get: (key) => (next.has(key) ? next.get(key) : running.get(key))?.provider,
      commit: () => {
        for (const [key, pooled] of next) {
          const known = running.get(key);
          if (known !== undefined && known.provider === pooled?.provider) known.provider.renew?.(pooled.material);
          else known?.provider.close();
          if (pooled === undefined) running.delete(key);
          else running.set(key, pooled);
        }
      },
      discard: () => {
        for (const [, pooled] of others) pooled?.provider.close();
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

/** What is known where nothing changed for it; a provider that can take other material in stays the same one. */
function poolOne(
  spec: IdentityProviderSpec,
  known: Pooled | undefined,
  { material, kept }: KeptMaterial,
  find: MaterialFinder,
  create: (material: ProviderMaterial) => IdentityProvider,
): Pooled {
  const missing = missingMaterials(spec, find);
  if (known?.spec !== spec) return { spec, material, missing, kept, provider: create(material) };
  const isSame = isSameMaterial(known.material, material);
  if (isSame && isSameMissing(known.missing, missing) && kept === known.kept) return known;
  const keeps = isSame || known.provider.renew !== undefined;
  return { spec, material, missing, kept, provider: keeps ? known.provider : create(material) };
}

function isSameMissing(a: readonly MissingMaterial[], b: readonly MissingMaterial[]): boolean {
  return a.length === b.length && (a.length === 0 || JSON.stringify(a) === JSON.stringify(b));
}
