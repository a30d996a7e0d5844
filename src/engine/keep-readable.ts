import { isReadableKeySet } from '../phases/identity/jwt/key-set.ts';
import type { ConfigMapKey, IdentityProviderSpec } from '../policy/provider-spec.ts';
import { textKey, type ProviderMaterial } from '../policy/providers/provider-material.ts';
import { hasCertificate } from '../std/x509/has-certificate.ts';

/** What a provider works with, and in words what of it is older than what its ConfigMaps say now; undefined where nothing is. */
export interface KeptMaterial {
  readonly material: ProviderMaterial;
  readonly kept: string | undefined;
}

/**
 * Keeps the key sets and certificates of before where those of now cannot be read at all, as where an issuer serves garbage. A text that can
 * be read counts at once, whatever it withdraws; one that is gone is gone.
 */
export function keepReadable(
  spec: IdentityProviderSpec,
  material: ProviderMaterial,
  before: ProviderMaterial | undefined,
  { maxKeys }: { readonly maxKeys: number },
): KeptMaterial {
  const texts = new Map(material.texts);
  const kept: string[] = [];
  const keep = (ref: ConfigMapKey, isReadable: (text: string) => boolean, what: string): void => {
    const key = textKey({ ...ref, kind: 'ConfigMap' });
    const text = texts.get(key);
    const last = before?.texts.get(key);
    if (text === undefined || last === undefined || text === last || isReadable(text) || !isReadable(last)) return;
    texts.set(key, last);
    kept.push(
      `the key ${ref.key} of the ConfigMap ${ref.namespace}/${ref.name} holds no ${what} that can be read: what it held before stays in force`,
    );
  };
  const { keySets, certificates } = textsOf(spec);
  for (const ref of keySets) keep(ref, (text) => isReadableKeySet(text, maxKeys), 'key set with a usable key');
  for (const ref of certificates) keep(ref, hasCertificate, 'PEM certificate');
  return kept.length === 0
    ? { material, kept: undefined }
    : { material: { ...material, texts }, kept: kept.join('; ') };
}

interface PublicTexts {
  readonly keySets: readonly ConfigMapKey[];
  readonly certificates: readonly ConfigMapKey[];
}

/** What stands in ConfigMaps and is public. A list of revoked certificates is not kept: an old one lets in whom the new one names. */
function textsOf(spec: IdentityProviderSpec): PublicTexts {
  const refs = (...list: readonly (ConfigMapKey | undefined)[]): readonly ConfigMapKey[] =>
    list.filter((ref) => ref !== undefined);
  switch (spec.type) {
    case 'JWT': {
      const sources = [spec.keys, spec.events?.keys];
      const keySets = sources.flatMap((source) => (source?.type === 'ConfigMap' ? [source.ref] : []));
      return { keySets, certificates: refs(spec.ca, spec.events?.ca) };
    }
    case 'Introspection':
    case 'ClientCertificate':
      return { keySets: [], certificates: refs(spec.ca) };
    case 'Basic':
    case 'SharedSecretJWT':
    case 'APIKey':
    case 'ServiceAccount':
      return { keySets: [], certificates: [] };
  }
}
