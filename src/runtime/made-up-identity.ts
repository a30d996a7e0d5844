import { ownMember, type JsonObject } from '../core/json.ts';
import { catalogProviders, readCatalog } from '../engine/inspect-token.ts';
import type { ProxiedRequest } from '../envoy/check-client.ts';
import { findNamed, unknownProvider } from './choose-provider.ts';
import { isJwtProvider, type JwtProviderSpec } from '../policy/provider-spec.ts';
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

function chooseProvider(claims: JsonObject, { name, preferred }: Vouching, reading: SourceReading): JwtProviderSpec {
  const providers = [...catalogProviders(readCatalog(reading, 'portcullis')).values()].filter(isJwtProvider);
  const issuer = ownMember(claims, 'iss');
  const named = name === undefined ? providers : findNamed(providers, name);
  const fitting = named.filter((provider) => issuer === undefined || provider.issuer === issuer);
  const close = fitting.filter((provider) => preferred.has(specKey(provider)));
  const [only, ...others] = close.length === 1 ? close : fitting;
  if (only !== undefined && others.length === 0) return only;
  const which = name === undefined ? '' : ` the name ${name}`;
  throw unknownProvider(
    only === undefined
      ? `no provider of the documents fits${which}: name one with --provider, or its issuer as iss`
      : `several providers fit${which}: name one with --provider, or its issuer as iss`,
    providers,
  );
}
