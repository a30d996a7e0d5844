import type { IdentityProviderSpec } from '../policy/provider-spec.ts';

/** A provider of the service, as revocations name one. */
export interface KnownProvider {
  /** `shop/okta`, or `okta` of a ClusterIdentityProvider. */
  readonly name: string;
  readonly namespace: string;
  /** The issuer that its document names; undefined where it names none. */
  readonly issuer: string | undefined;
}

export function toKnownProvider(spec: IdentityProviderSpec): KnownProvider {
  const { namespace, name } = spec;
  return {
    name: namespace === '' ? name : `${namespace}/${name}`,
    namespace,
    issuer: 'issuer' in spec ? spec.issuer : undefined,
  };
}
