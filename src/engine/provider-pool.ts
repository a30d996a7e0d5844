import type { Logger } from '../core/ports.ts';
import type { MissingMaterial } from '../core/status.ts';
import { thrownFields } from '../core/thrown-fields.ts';
import type { IdentityPorts } from '../phases/identity/identity-ports.ts';
import type { IdentityProvider } from '../phases/identity/identity-provider.ts';
import { toRevocable } from '../phases/identity/revocation/revocable-provider.ts';
import type { Revocations } from '../phases/identity/revocation/revocations.ts';
import { createProvider, type CreateProvider } from '../phases/identity/create-provider.ts';
import {
  gatherMaterial,
  isSameMaterial,
  missingMaterials,
  noMaterial,
  outdatedMaterials,
  type MaterialFinder,
  type ProviderMaterial,
} from '../policy/providers/provider-material.ts';
import type { IdentityProviderSpec } from '../policy/provider-spec.ts';
import { specKey } from '../policy/spec-name.ts';
import type { Steps } from '../std/steps.ts';
import { keepReadable } from './keep-readable.ts';
import type { MaterialChange } from './materials.ts';
import { createProviderReferences } from './provider-references.ts';

/** The providers at work. One stays as it is, with its keys and verified tokens, until its document or what that refers to changes. */
export interface ProviderPool {
  /** By key. */
  readonly running: ReadonlyMap<string, Running>;
  /** Makes the providers that a change asks for; those begin to load their keys. Nothing else is changed by it until `commit`. */
  prepare(change: ProviderChange): Steps<PreparedProviders>;
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
  readonly changedMaterials: readonly MaterialChange[];
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
  /** Puts them to work, and ends those whose place they take. All that can fail was done before. */
  commit(): void;
  /** Ends those that are new. */
  discard(): void;
}

interface Pooled extends Running {
  readonly spec: IdentityProviderSpec;
  readonly material: ProviderMaterial;
}

/** What becomes of a key. */
interface Succession {
  readonly known: Pooled | undefined;
  /** Undefined: none any more. */
  readonly next: Pooled | undefined;
  /** Of a provider that stays and has read other material: puts that in force. */
  readonly renew?: (() => void) | undefined;
}

type Successions = ReadonlyMap<string, Succession>;

export function createProviderPool(
  ports: IdentityPorts,
  revocations: Revocations,
  createPlain: CreateProvider = createProvider,
): ProviderPool {
  const running = new Map<string, Pooled>();
  const references = createProviderReferences();
  const makers: Makers = {
    create: (spec, material) => toRevocable(createPlain(spec, material, ports), revocations),
    logger: ports.logger,
    settings: ports.settings,
  };
  const commit = (successions: Successions): void => {
    for (const [key, { known, next }] of successions) {
      if (next === undefined) running.delete(key);
      else running.set(key, next);
      if (known?.spec !== next?.spec) references.put(key, next?.spec);
    }
    for (const [key, { renew }] of successions) if (renew !== undefined) safely(renew, key, ports.logger);
    for (const [key, { known }] of [...successions].filter(isOther))
      if (known !== undefined) safely(() => known.provider.close(), key, ports.logger);
  };
  return {
    running,
    *prepare({ specs, changedMaterials, findMaterial }) {
      const asked = new Map(specs);
      for (const key of references.concernedBy(changedMaterials))
        if (!asked.has(key)) asked.set(key, running.get(key)?.spec);
      const successions = yield* succeedAll(asked, running, findMaterial, makers);
      return toPrepared(successions, running, () => commit(successions));
    },
    close: () => {
      for (const { provider } of running.values()) provider.close();
      running.clear();
    },
  };
}

interface Makers {
  readonly create: (spec: IdentityProviderSpec, material: ProviderMaterial) => IdentityProvider;
  readonly logger: Logger;
  readonly settings: IdentityPorts['settings'];
}

/** What becomes of those that are asked for, without those for which all stays as it is. Where it throws, nothing of it is left. */
function* succeedAll(
  asked: ProviderChange['specs'],
  running: ReadonlyMap<string, Pooled>,
  find: MaterialFinder,
  makers: Makers,
): Steps<Successions> {
  const successions = new Map<string, Succession>();
  try {
    for (const [key, spec] of asked) {
      const known = running.get(key);
      const succession = spec === undefined ? { known, next: undefined } : yield* succeed(spec, known, find, makers);
      if (succession.next !== known) successions.set(key, succession);
      yield;
    }
    return successions;
  } catch (thrown) {
    discard(successions);
    throw thrown;
  }
}

/** What is known where nothing changed for it; a provider that can take other material in stays the same one. */
function* succeed(
  spec: IdentityProviderSpec,
  known: Pooled | undefined,
  find: MaterialFinder,
  makers: Makers,
): Steps<Succession> {
  const readable = keepReadable(spec, gatherMaterial(spec, find), known?.material, makers.settings);
  const { material } = readable;
  const older = [...outdatedMaterials(spec, find), ...(readable.kept === undefined ? [] : [readable.kept])];
  const kept = older.length === 0 ? undefined : older.join('; ');
  const missing = missingMaterials(spec, find);
  const found = { spec, material, missing, kept };
  if (known?.spec !== spec) return { known, next: { ...found, provider: yield* make(spec, material, makers) } };
  const isSame = isSameMaterial(known.material, material);
  if (isSame && isSameMissing(known.missing, missing) && kept === known.kept) return { known, next: known };
  const { provider } = known;
  if (isSame) return { known, next: { ...found, provider } };
  try {
    if (provider.renew === undefined) return { known, next: { ...found, provider: makers.create(spec, material) } };
    return { known, next: { ...found, provider }, renew: yield* provider.renew(material) };
  } catch (thrown) {
    // What it had may be what was taken away: it has nothing until its Secrets can be read, and the others have theirs.
    makers.logger.error({ provider: specKey(spec), ...thrownFields(thrown) }, unreadable);
    const provider = makers.create(spec, noMaterial);
    return { known, next: { ...found, material: noMaterial, kept: undefined, provider } };
  }
}

const unreadable = 'the Secrets and ConfigMaps of a provider cannot be read: it does without';

/** A new provider. It may select thousands of Secrets, which it reads one by one. */
function* make(spec: IdentityProviderSpec, material: ProviderMaterial, { create }: Makers): Steps<IdentityProvider> {
  const provider = create(spec, { ...material, secrets: [] });
  if (material.secrets.length === 0 || provider.renew === undefined) return provider;
  try {
    (yield* provider.renew(material))();
    return provider;
  } catch (thrown) {
    provider.close();
    throw thrown;
  }
}

function toPrepared(
  successions: Successions,
  running: ReadonlyMap<string, Pooled>,
  commit: () => void,
): PreparedProviders {
  const others = [...successions].filter(isOther);
  const missesOthers = ({ known, next }: Succession): boolean =>
    !isSameMissing(known?.missing ?? [], next?.missing ?? []);
  const concerning = [...successions].filter((one) => isOther(one) || missesOthers(one[1]));
  return {
    fresh: others.flatMap(([, { next }]) => next?.provider ?? []),
    changed: new Set(others.map(([key]) => key)),
    news: new Set(successions.keys()),
    concerning: new Set(concerning.map(([key]) => key)),
    get: (key) => (successions.has(key) ? successions.get(key)?.next : running.get(key))?.provider,
    commit,
    discard: () => discard(successions),
  };
}

/** True where another provider stands behind the key than before, or none any more. */
function isOther([, { known, next }]: readonly [string, Succession]): boolean {
  return known?.provider !== next?.provider;
}

/** Ends those that are new. */
function discard(successions: Successions): void {
  for (const [, { next }] of [...successions].filter(isOther)) next?.provider.close();
}

/** One that fails here, where all is decided, must not keep the change of another from being in force. */
function safely(work: () => void, provider: string, logger: Logger): void {
  try {
    work();
  } catch (thrown) {
    logger.error({ provider, ...thrownFields(thrown) }, 'a provider could not be renewed or ended');
  }
}

function isSameMissing(a: readonly MissingMaterial[], b: readonly MissingMaterial[]): boolean {
  return a.length === b.length && (a.length === 0 || JSON.stringify(a) === JSON.stringify(b));
}
