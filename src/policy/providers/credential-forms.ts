import type { CredentialPlace, IdentityProviderSpec } from '../provider-spec.ts';

/**
 * Where credentials of the provider stand; nowhere for one that looks at the connection alone. Who takes tokens with Bearer takes those
 * that are bound to a key with DPoP in the same place (RFC 9449 7.1).
 */
export function placesOf(spec: IdentityProviderSpec): readonly CredentialPlace[] {
  switch (spec.type) {
    case 'ClientCertificate':
      return [];
    case 'JWT':
      return spec.binding.dpop === 'Ignore' ? spec.from : withDpop(spec.from);
    case 'Introspection':
      return withDpop(spec.from);
    case 'SharedSecretJWT':
    case 'APIKey':
    case 'ServiceAccount':
    case 'Basic':
      return spec.from;
  }
}

function withDpop(places: readonly CredentialPlace[]): readonly CredentialPlace[] {
  const twins = places.flatMap((place): CredentialPlace[] => {
    const isBearer = place.in === 'header' && place.scheme?.toLowerCase() === 'bearer';
    return isBearer ? [{ in: 'header', name: place.name, scheme: 'DPoP' }] : [];
  });
  return [...places, ...twins.filter((twin) => !places.some((place) => isSamePlace(place, twin)))];
}

/** True for a place of tokens that are bound to a key. */
export function isDpopPlace(place: CredentialPlace): boolean {
  return place.in === 'header' && place.scheme?.toLowerCase() === 'dpop';
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

/** Schemes are compared in any case. */
export function isSamePlace(a: CredentialPlace, b: CredentialPlace): boolean {
  return a.in === b.in && a.name === b.name && schemeOf(a) === schemeOf(b);
}

function schemeOf(place: CredentialPlace): string | undefined {
  return place.in === 'header' ? place.scheme?.toLowerCase() : undefined;
}

/** Equal for places that are one: schemes are compared in any case. */
export function placeKey(place: CredentialPlace): string {
  return JSON.stringify([place.in, place.name, schemeOf(place) ?? null]);
}

/** A place in words: `the header authorization with the scheme Bearer`. */
export function describePlace(place: CredentialPlace): string {
  if (place.in === 'header')
    return `the header ${place.name}${place.scheme === undefined ? '' : ` with the scheme ${place.scheme}`}`;
  return `the ${place.in === 'cookie' ? 'cookie' : 'query parameter'} ${place.name}`;
}
