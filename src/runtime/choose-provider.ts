import { Failure } from '../core/failure.ts';
import type { IdentityProviderSpec } from '../policy/provider-spec.ts';
import { specKey } from '../policy/spec-name.ts';

/** Those that the name means: `namespace/name`, `name` of a cluster provider, else `name` of those of a namespace. */
export function findNamed<T extends IdentityProviderSpec>(providers: readonly T[], name: string): readonly T[] {
  const exact = providers.filter((provider) => fullName(provider) === name);
  return exact.length > 0 ? exact : providers.filter((provider) => provider.name === name);
}

/** `shop/okta`, or `corp` of a cluster provider: what is written behind `--provider`. */
export function fullName({ namespace, name }: Pick<IdentityProviderSpec, 'namespace' | 'name'>): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** A Failure `provider_unknown` that lists what could have been written. */
export function unknownProvider(why: string, providers: readonly IdentityProviderSpec[]): Failure {
  const names = providers.toSorted((a, b) => (specKey(a) < specKey(b) ? -1 : 1)).map(fullName);
  const known = names.length === 0 ? 'there are none' : `there are: ${names.join(', ')}`;
  return new Failure('provider_unknown', `${why}; ${known} (NAMESPACE/NAME, or NAME of a ClusterIdentityProvider)`);
}
