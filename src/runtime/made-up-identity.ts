import { Failure } from '../core/failure.ts';
import { ownMember, type JsonObject } from '../core/json.ts';
import { catalogProviders, readCatalog } from '../engine/inspect-token.ts';
import { writeBelievedToken } from '../engine/offline-engine.ts';
import type { ProxiedRequest } from '../envoy/check-client.ts';
import { findNamed, fullName, unknownProvider } from './choose-provider.ts';
import { isClaimsProvider, type ClaimsProviderSpec, type IdentityProviderSpec } from '../policy/provider-spec.ts';
import { specKey } from '../policy/spec-name.ts';
import type { SourceReading } from '../policy/spec.ts';

/** Who may vouch for a made-up identity. */
export interface Vouching {
  /** As `--provider` has it; undefined: nobody was named. */
  readonly name: string | undefined;
  /** Keys of providers: where exactly one of them fits, it goes before others that do. */
  readonly preferred: ReadonlySet<string>;
}

/**
 * The request with a token of these claims where the provider looks for one. Nobody signed it: only an engine that believes everything takes it.
 * Throws a Failure `provider_unknown` where no provider, or more than one, could vouch for it.
 */
export function presentMadeUpIdentity(
  request: ProxiedRequest,
  claims: JsonObject,
  vouching: Vouching,
  reading: SourceReading,
): ProxiedRequest {
  const provider = chooseProvider(claims, vouching, reading);
  const token = writeBelievedToken(provider, claims);
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

function chooseProvider(claims: JsonObject, { name, preferred }: Vouching, reading: SourceReading): ClaimsProviderSpec {
  const all = [...catalogProviders(readCatalog(reading, 'portcullis')).values()];
  const providers = all.filter(isClaimsProvider);
  const issuer = ownMember(claims, 'iss');
  const named = name === undefined ? providers : findNamed(all, name);
  const fitting = named.filter(isClaimsProvider).filter((provider) => {
    const own = issuerOf(provider);
    // One that looks at no issuer has to be meant.
    return issuer === undefined || own === issuer || (name !== undefined && own === undefined);
  });
  const close = fitting.filter((provider) => preferred.has(specKey(provider)));
  const [only, ...others] = close.length === 1 ? close : fitting;
  const meant = name === undefined ? all.filter((provider) => preferred.has(specKey(provider))) : named;
  const [first] = meant;
  if (issuer === undefined && first !== undefined && !meant.some(isClaimsProvider)) throw noClaimsOf(first);
  if (only !== undefined && others.length === 0) return only;
  const which = name === undefined ? '' : ` the name ${name}`;
  throw unknownProvider(
    only === undefined
      ? `no provider of the documents fits${which}: name one with --provider, or its issuer as iss`
      : `several providers fit${which}: name one with --provider, or its issuer as iss`,
    providers,
  );
}

/** Undefined: it looks at none. */
function issuerOf(provider: ClaimsProviderSpec): string | undefined {
  return provider.type === 'ServiceAccount' ? undefined : provider.issuer;
}

/** Its clients are in the documents, and it is tried with the credential of one. */
function noClaimsOf(provider: IdentityProviderSpec): Failure {
  const way =
    provider.type === 'ClientCertificate' ? '--principal or --certificate' : '--header, or --token for one as Bearer';
  return new Failure(
    'provider_unknown',
    `${fullName(provider)} is of type ${provider.type}, and no claims make its identities: show a credential with ${way}`,
  );
}
