import { Failure } from '../core/failure.ts';
import { ownMember, type JsonObject } from '../core/json.ts';
import { catalogProviders, readCatalog } from '../engine/inspect-token.ts';
import type { ProxiedRequest } from '../envoy/check-client.ts';
import { specKey, type IdentityProviderSpec, type SourceReading } from '../policy/spec.ts';

/**
 * The request with a token of these claims where the provider looks for one. Nobody signed it: only an engine that believes everything takes it.
 * Throws a Failure `provider_unknown` where no provider, or more than one, could vouch for it.
 */
export function presentMadeUpIdentity(
  request: ProxiedRequest,
  claims: JsonObject,
  providerName: string | undefined,
  reading: SourceReading,
): ProxiedRequest {
  const provider = chooseProvider(claims, providerName, reading);
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = `${encode({ alg: 'none' })}.${encode({ iss: provider.issuer, ...claims })}.${encode('made up')}`;
  const [place] = provider.from;
  switch (place?.in) {
    case 'header': {
      const value = place.scheme === undefined ? token : `${place.scheme} ${token}`;
      return { ...request, headers: [...request.headers, [place.name, value]] };
    }
    case 'cookie':
      return { ...request, headers: [...request.headers, ['cookie', `${place.name}=${token}`]] };
    case 'query': {
      const { target } = request;
      return { ...request, target: `${target}${target.includes('?') ? '&' : '?'}${place.name}=${token}` };
    }
    case undefined:
      return request;
  }
}

function chooseProvider(claims: JsonObject, name: string | undefined, reading: SourceReading): IdentityProviderSpec {
  const providers = [...catalogProviders(readCatalog(reading, 'portcullis')).values()];
  const issuer = ownMember(claims, 'iss');
  const fitting = providers.filter(
    (provider) =>
      (name === undefined || isNamed(provider, name)) && (issuer === undefined || provider.issuer === issuer),
  );
  const [only, ...others] = fitting;
  if (only !== undefined && others.length === 0) return only;
  const known = providers.map(specKey).join(', ') || 'none';
  const which = only === undefined ? 'no provider of the documents fits' : 'several providers fit';
  throw new Failure(
    'provider_unknown',
    `${which}: name one with --provider, or its issuer as iss; there are: ${known}`,
  );
}

/** `namespace/name`, or `name` of a cluster provider. */
export function isNamed(provider: IdentityProviderSpec, name: string): boolean {
  return specKey(provider) === `${provider.kind} ${name}`;
}
