import { textKey, type ProviderMaterial } from '../../policy/providers/provider-material.ts';
import type { IdentityProviderSpec, JwtProviderSpec } from '../../policy/provider-spec.ts';
import { createApiKeyProvider } from './api-key/api-key-provider.ts';
import { createBasicProvider } from './basic/basic-provider.ts';
import { createClientCertificateProvider } from './client-certificate/client-certificate-provider.ts';
import { createIntrospectionProvider } from './introspection/introspection-provider.ts';
import type { EventMaterial } from './events/issuer-receiver.ts';
import type { IdentityPorts } from './identity-ports.ts';
import type { IdentityProvider } from './identity-provider.ts';
import type { KeyMaterial } from './jwt/create-provider-keys.ts';
import { createJwtProvider } from './jwt/jwt-provider.ts';
import { createServiceAccountProvider } from './service-account/service-account-provider.ts';
import { createSharedSecretJwtProvider } from './shared-secret-jwt/shared-secret-jwt-provider.ts';

/** Makes a provider of its spec and of what that refers to. */
export type CreateProvider = (
  spec: IdentityProviderSpec,
  material: ProviderMaterial,
  ports: IdentityPorts,
) => IdentityProvider;

/** The provider of each type. What is missing of its material leaves it refusing, never without the check. */
export const createProvider: CreateProvider = (spec, material, ports) => {
  switch (spec.type) {
    case 'JWT':
      return createJwtProvider(spec, toKeyMaterial(spec, material), ports, toEventMaterial(spec, material));
    case 'ServiceAccount':
      return createServiceAccountProvider(spec, ports);
    case 'Basic':
      return createBasicProvider(spec, material, ports);
    case 'ClientCertificate':
      return createClientCertificateProvider(spec, material, ports);
    case 'SharedSecretJWT':
      return createSharedSecretJwtProvider(spec, material, ports);
    case 'APIKey':
      return createApiKeyProvider(spec, material, ports);
    case 'Introspection':
      return createIntrospectionProvider(spec, material, ports);
  }
};

/** What `events` refers to; undefined where the spec has none. */
export function toEventMaterial({ events }: JwtProviderSpec, { texts }: ProviderMaterial): EventMaterial | undefined {
  if (events === undefined) return undefined;
  const textOf = (kind: 'ConfigMap' | 'Secret', ref: JwtProviderSpec['ca']): string | undefined =>
    ref && texts.get(textKey({ ...ref, kind }));
  return {
    keysText: textOf('ConfigMap', events.keys?.type === 'ConfigMap' ? events.keys.ref : undefined),
    ca: textOf('ConfigMap', events.ca),
    authorization: textOf('Secret', events.authorization),
  };
}

export function toKeyMaterial({ keys, ca }: JwtProviderSpec, { texts }: ProviderMaterial): KeyMaterial {
  const textOf = (ref: JwtProviderSpec['ca']): string | undefined =>
    ref && texts.get(textKey({ ...ref, kind: 'ConfigMap' }));
  return { keysText: textOf(keys.type === 'ConfigMap' ? keys.ref : undefined), ca: textOf(ca) };
}
