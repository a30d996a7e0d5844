import { clientAnnotations } from '../client-annotations.ts';
import type { MissingMaterial } from '../../core/status.ts';
import type { Material } from '../read-material.ts';
import type { IdentityProviderSpec, JwtProviderSpec, SecretSelector } from '../provider-spec.ts';
import { specKey, type SpecName } from '../spec-name.ts';
import { apiKeyField } from './sealed-api-key.ts';
import type { MaterialRef } from '../spec.ts';

/** One value of a ConfigMap or Secret. */
export interface MaterialKey extends SpecName {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly key: string;
  /** True where the provider can do without it. */
  readonly isOptional?: boolean;
}

/** What the document of a provider refers to. */
export interface ProviderNeeds {
  readonly keys: readonly MaterialKey[];
  readonly selector: SecretSelector | undefined;
}

/** What a provider refers to, as it was found: its own texts, nothing else of the Secrets and ConfigMaps that hold them. */
export interface ProviderMaterial {
  /** By `textKey`; what is missing is absent. */
  readonly texts: ReadonlyMap<string, string>;
  /** The Secrets that its selector takes, by name. */
  readonly secrets: readonly Material[];
}

export const noMaterial: ProviderMaterial = { texts: new Map(), secrets: [] };

export function needsOf(spec: IdentityProviderSpec): ProviderNeeds {
  switch (spec.type) {
    case 'JWT':
      return jwtNeeds(spec);
    case 'ClientCertificate':
      return onlyKeys([spec.ca, spec.crl].filter((ref) => ref !== undefined));
    case 'Introspection': {
      const { secret } = spec.clientAuthentication;
      const own = introspectionKeys[spec.clientAuthentication.method].map((key): MaterialKey => ({
        ...secret,
        kind: 'Secret',
        key,
        isOptional: key === 'key_id',
      }));
      return { keys: [...own, ...onlyKeys(spec.ca ? [spec.ca] : []).keys], selector: undefined };
    }
    case 'Basic':
      return { keys: [{ ...spec.users, kind: 'Secret' }], selector: undefined };
    case 'SharedSecretJWT':
    case 'APIKey':
      return { keys: [], selector: spec.secrets };
    case 'ServiceAccount':
      return { keys: [], selector: undefined };
  }
}

function jwtNeeds({ keys, ca, events }: JwtProviderSpec): ProviderNeeds {
  const refs = [keys, events?.keys].flatMap((source) => (source?.type === 'ConfigMap' ? [source.ref] : []));
  const maps = onlyKeys([...refs, ...(ca ? [ca] : []), ...(events?.ca ? [events.ca] : [])]);
  if (events?.authorization === undefined) return maps;
  return { ...maps, keys: [...maps.keys, { ...events.authorization, kind: 'Secret' }] };
}

/** The keys of the Secret that `clientAuthentication` names, by its method. */
export const introspectionKeys = {
  Basic: ['client_id', 'client_secret'],
  Post: ['client_id', 'client_secret'],
  PrivateKeyJWT: ['client_id', 'private_key', 'key_id'],
} as const;

/** What a client is found by: where its Secret is refused it holds on to that, and nobody else has it (decision 25). */
export const heldFields: ReadonlySet<string> = new Set([apiKeyField, 'api-key-sha256', 'key']);

/**
 * The keys of the Secrets that selectors take: those of API keys, and of the consumers of shared secrets; and names of annotations, which
 * refuse a Secret where they stand in its data.
 */
export const clientFields: ReadonlySet<string> = new Set([...heldFields, 'secret', ...clientAnnotations]);

function onlyKeys(refs: readonly Omit<MaterialKey, 'kind'>[]): ProviderNeeds {
  return { keys: refs.map((ref) => ({ ...ref, kind: 'ConfigMap' })), selector: undefined };
}

/** Finds what there is. */
export interface MaterialFinder {
  /** By `materialKey` of one with a name. */
  get(key: string): Material | undefined;
  /** Those that the selector takes, by name. */
  select(selector: SecretSelector): readonly Material[];
}

export function gatherMaterial(spec: IdentityProviderSpec, find: MaterialFinder): ProviderMaterial {
  const { keys, selector } = needsOf(spec);
  const texts = new Map<string, string>();
  for (const ref of keys) {
    const text = usable(find.get(specKey(ref)))?.data.get(ref.key);
    if (text !== undefined) texts.set(textKey(ref), text);
  }
  return { texts, secrets: selector === undefined ? [] : find.select(selector) };
}

/** Whoever deletes a Secret means now (S4), also where a finalizer keeps its object; of one that is refused nothing is used. */
function usable(material: Material | undefined): Material | undefined {
  const isGone = material?.refused !== undefined || (material?.kind === 'Secret' && material.isLeaving);
  return isGone ? undefined : material;
}

/** In words, what of it is older than what is there now, because that cannot be used. */
export function outdatedMaterials(spec: IdentityProviderSpec, find: MaterialFinder): readonly string[] {
  const named = new Set(needsOf(spec).keys.map((ref) => specKey(ref)));
  return [...named].flatMap((key) => {
    const outdated = usable(find.get(key))?.outdated;
    return outdated === undefined
      ? []
      : [`the ${key} cannot be read, and what it held before stays in force: ${outdated}`];
  });
}

/** The keys that the provider refers to and that are not there. */
export function missingMaterials(spec: IdentityProviderSpec, find: MaterialFinder): readonly MissingMaterial[] {
  return needsOf(spec).keys.flatMap(({ kind, namespace, name, key, isOptional }) => {
    const material = usable(find.get(specKey({ kind, namespace, name })));
    if (isOptional === true || material?.data.has(key) === true) return [];
    return [{ kind, namespace, name, key, isWhole: material === undefined }];
  });
}

/** `Secret shop/web client_id`. */
export function textKey(ref: MaterialKey): string {
  return `${specKey(ref)} ${ref.key}`;
}

export function isSameMaterial(a: ProviderMaterial, b: ProviderMaterial): boolean {
  return (
    a.texts.size === b.texts.size &&
    [...a.texts].every(([key, text]) => b.texts.get(key) === text) &&
    a.secrets.length === b.secrets.length &&
    a.secrets.every((secret, index) => secret === b.secrets[index])
  );
}

/** What has to be followed for the provider. */
export function providerMaterialRefs(spec: IdentityProviderSpec): readonly MaterialRef[] {
  const { keys, selector } = needsOf(spec);
  const named = [...Map.groupBy(keys, specKey).values()].flatMap((refs): readonly MaterialRef[] => {
    const [first] = refs;
    if (first === undefined) return [];
    const { kind, namespace, name } = first;
    return [{ kind, namespace, name, keys: [...new Set(refs.map(({ key }) => key))] }];
  });
  return [...named, ...(selector === undefined ? [] : [{ kind: 'Secret' as const, ...selector }])];
}

/** The Secrets among these that have all labels of the selector, by name. */
export function selectMaterials(materials: Iterable<Material>, { labels }: SecretSelector): readonly Material[] {
  const selected: Material[] = [];
  for (const material of materials) if (hasLabels(material, labels)) selected.push(material);
  return selected.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** True for a Secret that has all of them. */
export function hasLabels({ kind, labels: own }: Material, labels: SecretSelector['labels']): boolean {
  return kind === 'Secret' && labels.every(([name, value]) => own.get(name) === value);
}
