import type { Material } from '../../../src/policy/read-material.ts';
import { sealApiKey } from '../../../src/policy/providers/sealed-api-key.ts';

export interface SecretParts {
  readonly data?: Readonly<Record<string, string>>;
  /** Without `portcullis.dev/`. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly isLeaving?: boolean;
}

/** A Secret of the namespace `shop` as it is read: `api-key` is sealed. */
export function secretOf(name: string, { data = {}, annotations = {}, isLeaving = false }: SecretParts): Material {
  const read = Object.entries(data).map(([key, text]) => [key, key === 'api-key' ? sealApiKey(text) : text] as const);
  const prefixed = Object.entries(annotations).map(([key, text]) => [`portcullis.dev/${key}`, text] as const);
  return {
    kind: 'Secret',
    namespace: 'shop',
    name,
    source: `Secret shop/${name}`,
    data: new Map(read),
    labels: new Map(),
    annotations: new Map(prefixed),
    isLeaving,
    refused: undefined,
  };
}
