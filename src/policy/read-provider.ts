import { isJsonObject } from '../core/json.ts';
import { parseDuration } from '../std/duration.ts';
import { isHeaderName, isProtocolHeader } from '../std/http-headers.ts';
import { checkClaimName } from './claim-name.ts';
import type { IdentityProviderShape, JwtShape, PlaceShape } from './document-shape.ts';
import { quote, type FieldPath, type ProblemList } from './problem-list.ts';
import type { ConfigMapKey, CredentialPlace, JwtAlgorithm, JwtProviderSpec, KeySource, ProviderKind } from './spec.ts';

const defaultAlgorithms: readonly JwtAlgorithm[] = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];
const bearer: CredentialPlace = { in: 'header', name: 'authorization', scheme: 'Bearer' };
const maxClockSkew = 300;

export interface DocumentName {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Reads the `spec` of a provider; undefined where an error makes it unusable.
 * `materials` is the namespace of the Secrets and ConfigMaps that it refers to: its own, or the service's for a cluster provider.
 */
export function readProvider(
  kind: ProviderKind,
  { namespace, name }: DocumentName,
  shape: IdentityProviderShape,
  materials: string,
  problems: ProblemList,
): JwtProviderSpec | undefined {
  const { jwt } = shape;
  if (jwt === undefined) {
    problems.error('missing-field', ['spec'], 'a provider of type JWT needs the field jwt');
    return undefined;
  }
  const at: FieldPath = ['spec', 'jwt'];
  const keys = readKeySource(jwt, materials, problems);
  checkIssuer(jwt.issuer, keys, [...at, 'issuer'], problems);
  const skew = readSeconds(jwt.clockSkew, [...at, 'clockSkew'], problems) ?? 30;
  if (skew > maxClockSkew) problems.error('invalid-value', [...at, 'clockSkew'], 'clockSkew is at most 300s');
  checkClaimNames(jwt, at, problems);
  const spec: JwtProviderSpec = {
    kind,
    type: 'JWT',
    namespace,
    name,
    issuer: jwt.issuer,
    audiences: jwt.audiences,
    keys,
    ca: jwt.jwks?.caRef === undefined ? undefined : { namespace: materials, ...jwt.jwks.caRef },
    algorithms: jwt.algorithms ?? defaultAlgorithms,
    profile: jwt.profile ?? 'Any',
    clockSkew: skew,
    maxLifetime: readSeconds(jwt.maxLifetime, [...at, 'maxLifetime'], problems),
    requiredClaims: jwt.requiredClaims ?? [],
    from: readPlaces(jwt.from, [...at, 'from'], problems),
    claims: {
      subject: jwt.claims?.subject ?? 'sub',
      scopes: jwt.claims?.scopes ?? ['scope', 'scp'],
      roles: jwt.claims?.roles ?? [],
    },
  };
  return problems.hasError() ? undefined : spec;
}

function readKeySource(jwt: JwtShape, materials: string, problems: ProblemList): KeySource {
  const at: FieldPath = ['spec', 'jwt', 'jwks'];
  const { uri, inline, configMapRef, caRef } = jwt.jwks ?? {};
  const named = [uri, inline, configMapRef].filter((source) => source !== undefined);
  if (named.length > 1) problems.error('invalid-value', at, 'jwks has at most one of uri, inline and configMapRef');
  if (caRef !== undefined && (inline !== undefined || configMapRef !== undefined)) {
    problems.error(
      'invalid-value',
      [...at, 'caRef'],
      'caRef is for keys that are fetched: leave it out beside inline and configMapRef',
    );
  }
  if (uri !== undefined) {
    if (!isHttpUrl(uri))
      problems.error(
        'invalid-value',
        [...at, 'uri'],
        `${quote(uri)} is no http or https URL without user, query of its own form or fragment`,
      );
    return { type: 'URI', uri };
  }
  if (inline !== undefined) {
    if (!isKeySet(inline))
      problems.error(
        'invalid-value',
        [...at, 'inline'],
        'inline is the JSON text of a key set: {"keys": [...]} with at least one key',
      );
    return { type: 'Inline', json: inline };
  }
  if (configMapRef !== undefined) return { type: 'ConfigMap', ref: configMapKey(materials, configMapRef) };
  return { type: 'Discovery' };
}

function configMapKey(namespace: string, ref: { readonly name: string; readonly key: string }): ConfigMapKey {
  return { namespace, name: ref.name, key: ref.key };
}

/** Discovery appends a path to the issuer, so there it must be a URL; with keys from elsewhere any text may be one. */
function checkIssuer(issuer: string, keys: KeySource, at: FieldPath, problems: ProblemList): void {
  if (keys.type !== 'Discovery') return;
  if (!isHttpUrl(issuer) || issuer.includes('?')) {
    problems.error(
      'invalid-value',
      at,
      `${quote(issuer)} is no http or https URL: name the keys with jwks, or write the issuer as its tokens do`,
    );
  }
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.username === '' &&
    url.password === '' &&
    !text.includes('#')
  );
}

function isKeySet(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) && Array.isArray(value['keys']) && value['keys'].length > 0;
  } catch {
    return false;
  }
}

function readSeconds(text: string | undefined, at: FieldPath, problems: ProblemList): number | undefined {
  if (text === undefined) return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined)
    problems.error('invalid-value', at, `${quote(text)} is no duration: write 30s, 5m or 24h`);
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}

function checkClaimNames(jwt: JwtShape, at: FieldPath, problems: ProblemList): void {
  const named: [FieldPath, readonly string[]][] = [
    [[...at, 'claims', 'subject'], jwt.claims?.subject === undefined ? [] : [jwt.claims.subject]],
    [[...at, 'claims', 'scopes'], jwt.claims?.scopes ?? []],
    [[...at, 'claims', 'roles'], jwt.claims?.roles ?? []],
    [[...at, 'requiredClaims'], jwt.requiredClaims ?? []],
  ];
  for (const [where, names] of named) for (const name of names) checkClaimName(name, where, problems);
}

function readPlaces(
  shapes: readonly PlaceShape[] | undefined,
  at: FieldPath,
  problems: ProblemList,
): readonly CredentialPlace[] {
  if (shapes === undefined) return [bearer];
  const places = shapes.flatMap((shape, index) => readPlace(shape, [...at, index], problems) ?? []);
  const seen = new Set<string>();
  for (const [index, place] of places.entries()) {
    const text = JSON.stringify(place).toLowerCase();
    if (seen.has(text)) problems.error('duplicate-name', [...at, index], 'the same place is there twice');
    seen.add(text);
  }
  return places;
}

function readPlace(shape: PlaceShape, at: FieldPath, problems: ProblemList): CredentialPlace | undefined {
  const { header, cookie, query, scheme } = shape;
  const named = [header, cookie, query].filter((name) => name !== undefined);
  if (named.length !== 1 || (scheme !== undefined && header === undefined)) {
    problems.error('invalid-value', at, 'a place is exactly one of header (with an optional scheme), cookie and query');
    return undefined;
  }
  const name = named[0] ?? '';
  if (query !== undefined) {
    if (/^[A-Za-z0-9._~-]+$/.test(query)) return { in: 'query', name: query };
    problems.error('invalid-value', at, `${quote(query)}: a query parameter's name is of letters, digits and . _ ~ -`);
    return undefined;
  }
  if (!isHeaderName(name) || (scheme !== undefined && !isHeaderName(scheme))) {
    problems.error('invalid-value', at, `${quote(name)} or its scheme is no token (RFC 9110 5.6.2)`);
    return undefined;
  }
  if (cookie !== undefined) return { in: 'cookie', name: cookie };
  if (isProtocolHeader(name) || name.toLowerCase() === 'cookie') {
    problems.error('forbidden-header', at, `${name} cannot carry a credential`);
    return undefined;
  }
  return { in: 'header', name: name.toLowerCase(), scheme };
}
