import { Failure } from '../../core/failure.ts';
import { textKey, type ProviderMaterial } from '../../policy/providers/provider-material.ts';
import type { IdentityProviderSpec, JwtProviderSpec } from '../../policy/provider-spec.ts';
import { specKey } from '../../policy/spec-name.ts';
import type { EventMaterial } from './events/issuer-receiver.ts';
import type { IdentityPorts } from './identity-ports.ts';
import type { IdentityProvider } from './identity-provider.ts';
import type { KeyMaterial } from './jwt/create-provider-keys.ts';
import { createJwtProvider } from './jwt/jwt-provider.ts';

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
    case 'SharedSecretJWT':
    case 'Introspection':
    case 'APIKey':
    case 'ClientCertificate':
    case 'ServiceAccount':
    case 'Basic':
      throw new Failure('provider_type', `${specKey(spec)} is of a type that this version does not build`);
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
