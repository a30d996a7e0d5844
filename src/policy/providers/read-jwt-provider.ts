import { isJsonObject } from '../../core/json.ts';
import { checkClaimName } from '../claim-name.ts';
import type { JwtShape } from '../document-shape.ts';
import { quote, type FieldPath, type ProblemList } from '../problem-list.ts';
import type {
  BindingRule,
  ConfigMapKey,
  CredentialPlace,
  EventReceiverSpec,
  JwtAlgorithm,
  JwtProviderSpec,
  KeySource,
} from '../provider-spec.ts';
import { isHttpUrl } from './http-url.ts';
import type { ProviderHead } from './provider-head.ts';
import { readClaimMapping } from './read-claim-mapping.ts';
import { bearer, readPlaces } from './read-places.ts';
import { readSeconds } from './read-seconds.ts';

const defaultAlgorithms: readonly JwtAlgorithm[] = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];
const maxClockSkew = 300;

/** Reads `jwt`. Where the list gets an error, what is returned is not to be used. */
export function readJwtProvider(
  { kind, namespace, name, materials }: ProviderHead,
  jwt: JwtShape,
  problems: ProblemList,
): JwtProviderSpec {
  const at: FieldPath = ['spec', 'jwt'];
  const keys = readKeySource(jwt.jwks, [...at, 'jwks'], materials, problems);
  checkIssuer(jwt.issuer, keys, [...at, 'issuer'], problems);
  const skew = readSeconds(jwt.clockSkew, [...at, 'clockSkew'], problems) ?? 30;
  if (skew > maxClockSkew) problems.error('invalid-value', [...at, 'clockSkew'], 'clockSkew is at most 300s');
  for (const claim of jwt.requiredClaims ?? []) checkClaimName(claim, [...at, 'requiredClaims'], problems);
  const from = jwt.from === undefined ? [bearer] : readPlaces(jwt.from, [...at, 'from'], problems);
  const binding = { certificate: jwt.binding?.certificate ?? 'IfBound', dpop: jwt.binding?.dpop ?? 'IfBound' } as const;
  checkDpop(from, binding.dpop, jwt, problems);
  return {
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
    from,
    claims: readClaimMapping(jwt.claims, ['scope', 'scp'], [...at, 'claims'], problems),
    binding,
    dpopNonce: jwt.binding?.dpopNonce ?? 'Never',
    ...(jwt.logout && { logout: jwt.logout }),
    ...withEvents(readEventReceiver(jwt, materials, problems)),
  };
}

/** RFC 9449 7.1: tokens that are bound to a key come with the scheme DPoP, and no others do. */
function checkDpop(from: readonly CredentialPlace[], rule: BindingRule, jwt: JwtShape, problems: ProblemList): void {
  const at: FieldPath = ['spec', 'jwt', 'binding'];
  const schemes = new Set(from.map((place) => (place.in === 'header' ? place.scheme?.toLowerCase() : undefined)));
  if (rule === 'Ignore' && schemes.has('dpop'))
    problems.error(
      'invalid-value',
      [...at, 'dpop'],
      'dpop: Ignore looks at no proof: leave the scheme DPoP out of from',
    );
  if (rule === 'Ignore' && jwt.binding?.dpopNonce !== undefined)
    problems.error('invalid-value', [...at, 'dpopNonce'], 'dpop: Ignore looks at no proof: leave dpopNonce out');
  if (rule === 'Required' && !schemes.has('dpop') && !schemes.has('bearer'))
    problems.error(
      'invalid-value',
      [...at, 'dpop'],
      'dpop: Required takes tokens with the scheme DPoP alone: from needs a header with the scheme Bearer or DPoP',
    );
}

function withEvents(events: EventReceiverSpec | undefined): Pick<JwtProviderSpec, 'events'> {
  return events === undefined ? {} : { events };
}

/** Another issuer has other keys, and nothing says where those of a transmitter are that is not the issuer of the tokens. */
function readEventReceiver(
  { issuer, events }: JwtShape,
  materials: string,
  problems: ProblemList,
): EventReceiverSpec | undefined {
  if (events === undefined) return undefined;
  const at: FieldPath = ['spec', 'jwt', 'events'];
  const keys = events.jwks && readKeySource(events.jwks, [...at, 'jwks'], materials, problems);
  if (events.jwks !== undefined && keys?.type === 'Discovery')
    problems.error('invalid-value', [...at, 'jwks'], 'the jwks of events has one of uri, inline and configMapRef');
  if (keys === undefined && events.issuer !== undefined && events.issuer !== issuer)
    problems.error('missing-field', at, 'events of another issuer need jwks, the keys of that issuer');
  const { authorizationRef } = events;
  return {
    issuer: events.issuer ?? issuer,
    audiences: events.audiences,
    keys,
    ca: events.jwks?.caRef && configMapKey(materials, events.jwks.caRef),
    authorization: authorizationRef && configMapKey(materials, authorizationRef),
  };
}

function readKeySource(jwks: JwtShape['jwks'], at: FieldPath, materials: string, problems: ProblemList): KeySource {
  const { uri, inline, configMapRef, caRef } = jwks ?? {};
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

function isKeySet(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) && Array.isArray(value['keys']) && value['keys'].length > 0;
  } catch {
    return false;
  }
}
