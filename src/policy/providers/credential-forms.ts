import type { CredentialPlace, IdentityProviderSpec } from '../provider-spec.ts';

/** Where credentials of the provider stand; nowhere for one that looks at the connection alone. */
export function placesOf(spec: IdentityProviderSpec): readonly CredentialPlace[] {
  return spec.type === 'ClientCertificate' ? [] : spec.from;
}

/** How a provider is chosen among those that share a place (S17). */
export type CredentialForm =
  /** JWTs with a signature of a private key, of the issuer. */
  | { readonly form: 'jwt'; readonly issuer: string }
  /** JWTs with an HMAC. */
  | { readonly form: 'hmac' }
  /** Whatever else a token is: only the issuer knows. */
  | { readonly form: 'opaque' }
  /** Everything that stands in its places. */
  | { readonly form: 'any' };

export function credentialForm(spec: Exclude<IdentityProviderSpec, { type: 'ClientCertificate' }>): CredentialForm {
  switch (spec.type) {
    case 'JWT':
      return { form: 'jwt', issuer: spec.issuer };
    case 'SharedSecretJWT':
      return { form: 'hmac' };
    case 'Introspection':
    case 'ServiceAccount':
      return { form: 'opaque' };
    case 'APIKey':
    case 'Basic':
      return { form: 'any' };
  }
}

/**
 * Why one credential could have two judges, as a sentence without its end; undefined where it has one. Two of one issuer are too many
 * wherever their tokens stand; others, where they share a place.
 */
export function findDispute(providers: readonly IdentityProviderSpec[]): string | undefined {
  for (const [index, one] of providers.entries()) {
    for (const other of providers.slice(index + 1)) {
      const dispute = disputeOf(one, other);
      if (dispute !== undefined) return dispute;
    }
  }
  return undefined;
}

function disputeOf(a: IdentityProviderSpec, b: IdentityProviderSpec): string | undefined {
  if (a.type === 'ClientCertificate' || b.type === 'ClientCertificate') return undefined;
  const [one, other] = [credentialForm(a), credentialForm(b)];
  if (one.form === 'jwt' && other.form === 'jwt')
    return one.issuer === other.issuer ? `two providers of one rule have the issuer ${one.issuer}` : undefined;
  const shared = placesOf(a).find((place) => placesOf(b).some((twin) => isSamePlace(place, twin)));
  if (shared === undefined) return undefined;
  const names = `${a.name} (${a.type}) and ${b.name} (${b.type})`;
  if (one.form === 'any' || other.form === 'any') return `${names} both take what stands in ${describePlace(shared)}`;
  if (one.form !== other.form) return undefined;
  return one.form === 'hmac'
    ? `${names} both judge tokens with an HMAC`
    : `${names} both judge tokens that say nothing of their issuer`;
}

export function isSamePlace(a: CredentialPlace, b: CredentialPlace): boolean {
  return placeKey(a) === placeKey(b);
}

/** Equal for places that are one: schemes are compared in any case. */
export function placeKey(place: CredentialPlace): string {
  const scheme = place.in === 'header' ? (place.scheme?.toLowerCase() ?? null) : null;
  return JSON.stringify([place.in, place.name, scheme]);
}

function describePlace(place: CredentialPlace): string {
  if (place.in === 'header')
    return `the header ${place.name}${place.scheme === undefined ? '' : ` with the scheme ${place.scheme}`}`;
  return `the ${place.in === 'cookie' ? 'cookie' : 'query parameter'} ${place.name}`;
}
