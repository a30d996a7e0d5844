import type { ConfigMapKey, JwtProviderSpec } from '../../../policy/provider-spec.ts';
import { specKey } from '../../../policy/spec-name.ts';
import { hasCertificate } from '../../../std/x509/has-certificate.ts';
import type { IdentityPorts } from '../identity-ports.ts';
import { createKeyCache, type KeyCache } from './key-cache.ts';
import { createKeyLoader } from './key-loader.ts';
import type { KeySet } from './key-set.ts';
import { createStaticKeys } from './static-keys.ts';

/** What a spec refers to in other documents, as the caller found it; undefined where it is missing. */
export interface KeyMaterial {
  /** The JSON text of the ConfigMap that `keys` refers to. */
  readonly keysText: string | undefined;
  /** The PEM text of the ConfigMap that `ca` refers to. */
  readonly ca: string | undefined;
}

/** Whose keys they are, and where they come from. */
export type KeyOwner = Pick<JwtProviderSpec, 'kind' | 'namespace' | 'name' | 'issuer' | 'keys' | 'ca'>;

/** The keys of a provider, wherever its spec says they are. What is missing leaves it without keys, never with the system's trust instead. */
export function createProviderKeys(
  spec: KeyOwner,
  material: KeyMaterial,
  algorithms: ReadonlySet<string>,
  ports: IdentityPorts,
  onChange: (keys: KeySet) => void,
): KeyCache {
  const { settings } = ports;
  const createStatic = (text: string | undefined, missing: string, place?: string): KeyCache =>
    createStaticKeys({ text, missing, place, algorithms, maxKeys: settings.maxKeys });
  const createFetched = (uri: string | undefined): KeyCache => {
    const fault = spec.ca && faultOfCa(spec.ca, material.ca);
    if (fault !== undefined) return createStatic(undefined, fault);
    const loader = createKeyLoader({
      uri,
      issuer: spec.issuer,
      algorithms,
      ca: material.ca,
      http: ports.http,
      clock: ports.clock,
      settings,
    });
    return createKeyCache({ ...ports, provider: specKey(spec), loader, onChange });
  };
  switch (spec.keys.type) {
    case 'Inline':
      return createStatic(spec.keys.json, '');
    case 'ConfigMap':
      return createStatic(material.keysText, describeMissing(spec.keys.ref), describeKey(spec.keys.ref));
    case 'URI':
      return createFetched(spec.keys.uri);
    case 'Discovery':
      return createFetched(undefined);
  }
}

/** Why whom to trust for an issuer is not known: nobody is asked then, and never with the system's trust instead. */
export function faultOfCa(ref: ConfigMapKey, text: string | undefined): string | undefined {
  if (text === undefined) return describeMissing(ref);
  return hasCertificate(text) ? undefined : `${describeKey(ref)}: there is no PEM certificate that can be read`;
}

/** `the key ca.crt of the ConfigMap shop/issuer`. */
export function describeKey({ namespace, name, key }: ConfigMapKey): string {
  return `the key ${key} of the ConfigMap ${namespace}/${name}`;
}

export function describeMissing(ref: ConfigMapKey): string {
  return `the ConfigMap ${specKey({ kind: '', ...ref }).trim()} or its key ${ref.key} is missing`;
}
