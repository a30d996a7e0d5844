import { Failure, messageOf } from '../../../core/failure.ts';
import { isJsonObject, ownMember } from '../../../core/json.ts';
import { parseStrictJsonBytes } from '../../../std/strict-json.ts';

/** GETs a document; throws a Failure as core's HttpClient does. */
export type GetDocument = (url: string) => Promise<Uint8Array>;

/** Failures after which the other place is worth a try: something answered, but not with the document. */
const answered: ReadonlySet<string> = new Set([
  'http_status',
  'http_redirect',
  'http_encoded',
  'http_too_large',
  'discovery_malformed',
  'discovery_issuer',
]);

/**
 * Finds the `jwks_uri` of an issuer: OpenID Connect Discovery 1.0 section 4 first, then RFC 8414 section 3 (the well-known part between
 * host and path). Throws a Failure where neither answers with metadata that may be used.
 */
export async function discoverJwksUri(issuer: string, get: GetDocument): Promise<string> {
  const [first, second] = metadataUrls(issuer);
  try {
    return judgeMetadata(await get(first), issuer);
  } catch (error) {
    if (!(error instanceof Failure && answered.has(error.code))) throw error;
    try {
      return judgeMetadata(await get(second), issuer);
    } catch (other) {
      const code = other instanceof Failure ? other.code : 'discovery_malformed';
      throw new Failure(code, `${messageOf(error)}; ${messageOf(other)}`, { cause: other });
    }
  }
}

/** Where the metadata of an issuer may stand, in the order to try. Throws a Failure `discovery_issuer` for an issuer that is no URL. */
export function metadataUrls(issuer: string): readonly [openId: string, oauth: string] {
  const url = URL.parse(issuer);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.search !== '' || url.hash !== '') {
    throw new Failure('discovery_issuer', 'the issuer is not a URL below which metadata could stand');
  }
  const path = url.pathname.replace(/\/$/, '');
  return [
    `${url.origin}${path}/.well-known/openid-configuration`,
    `${url.origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

/** The `jwks_uri` of metadata that names exactly this issuer (RFC 8414 3.3) and does not lead from https to http. Throws a Failure. */
export function judgeMetadata(bytes: Uint8Array, issuer: string): string {
  const json = parseStrictJsonBytes(bytes);
  if (json.kind === 'invalid' || !isJsonObject(json.value)) {
    throw new Failure('discovery_malformed', 'the metadata is not a JSON object');
  }
  if (ownMember(json.value, 'issuer') !== issuer) {
    throw new Failure('discovery_issuer', 'the metadata is that of another issuer');
  }
  const uri = ownMember(json.value, 'jwks_uri');
  const url = typeof uri === 'string' ? URL.parse(uri) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new Failure('discovery_malformed', 'the metadata has no jwks_uri that is a URL');
  }
  if (url.protocol === 'http:' && issuer.toLowerCase().startsWith('https:')) {
    throw new Failure('discovery_downgrade', 'the jwks_uri is http where the issuer is https');
  }
  return url.href;
}
