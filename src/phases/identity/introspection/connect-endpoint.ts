import { textKey, type ProviderMaterial } from '../../../policy/providers/provider-material.ts';
import { jwtAlgorithms, type IntrospectionProviderSpec } from '../../../policy/provider-spec.ts';
import type { IdentityPorts } from '../identity-ports.ts';
import { createProviderKeys, faultOfCa } from '../jwt/create-provider-keys.ts';
import type { KeyCache } from '../jwt/key-cache.ts';
import { createIntrospectionClient } from './client-authentication.ts';
import { createIntrospectionEndpoint, maxAnswerBytes, type IntrospectionEndpoint } from './introspection-endpoint.ts';

/** The way to the endpoint, or why there is none. */
export interface Connection {
  readonly endpoint: IntrospectionEndpoint | undefined;
  /** Of the issuer, where answers must be signed. */
  readonly keys: KeyCache | undefined;
  /** What is missing of the provider's material, or cannot be used. */
  readonly missing: string | undefined;
}

/** Nothing is asked with less than the spec names: without its Secret not at all, and without its certificates not with the system's. */
export function connectEndpoint(
  spec: IntrospectionProviderSpec,
  material: ProviderMaterial,
  ports: IdentityPorts,
): Connection {
  const client = createIntrospectionClient(spec, material, ports);
  if (typeof client === 'string') return { endpoint: undefined, keys: undefined, missing: client };
  const ca = spec.ca && material.texts.get(textKey({ ...spec.ca, kind: 'ConfigMap' }));
  const fault = spec.ca && faultOfCa(spec.ca, ca);
  if (fault !== undefined) return { endpoint: undefined, keys: undefined, missing: fault };
  if (!spec.signedAnswers) {
    const endpoint = createIntrospectionEndpoint({ spec, client, ca, signed: undefined, ports });
    return { endpoint, keys: undefined, missing: undefined };
  }
  const issuer = spec.issuer ?? '';
  const algorithms: ReadonlySet<string> = new Set(jwtAlgorithms);
  const owner = { ...spec, issuer, keys: { type: 'Discovery' } as const };
  const keys = createProviderKeys(owner, { keysText: undefined, ca }, algorithms, ports, () => undefined);
  const rules = { issuer, clientId: client.clientId, algorithms, maxBytes: maxAnswerBytes };
  return {
    endpoint: createIntrospectionEndpoint({ spec, client, ca, signed: { rules, keys }, ports }),
    keys,
    missing: undefined,
  };
}
