import type { Denial } from '../../core/decision.ts';
import { reasons, type ReasonCode } from '../../core/reason.ts';
import { isDpopPlace, placeKey } from '../../policy/providers/credential-forms.ts';
import type { CredentialPlace } from '../../policy/provider-spec.ts';
import { formatChallenge, type ChallengeParameter } from '../../std/www-authenticate.ts';
import { proofAlgorithms } from './dpop/parse-proof.ts';
import type { MessageProvider, MessageProviderSpec } from './identity-provider.ts';

/** What a challenge says beside its scheme and its error. */
export interface ChallengeContext {
  /** The protected space (RFC 9110 11.5). */
  readonly realm: string;
  /** The URL of the metadata of the protected resource (RFC 9728 5.1); undefined: there are none. */
  readonly resourceMetadata: string | undefined;
}

/** Writes `WWW-Authenticate` for what the providers of a rule take: one value for each scheme that could work (S29). */
export interface Challenges {
  /** For a credential that is missing, bad or ambiguous; `presented` are the places where one was. Nothing where the failure is ours. */
  forDenial(denial: Denial, presented: readonly CredentialPlace[], context: ChallengeContext): readonly string[];
  /** For a good credential that does not reach: `error` and what goes with it, for the scheme that it came with. */
  forShortfall(
    error: readonly ChallengeParameter[],
    presented: readonly CredentialPlace[],
    context: ChallengeContext,
  ): readonly string[];
}

/** One way to present a credential. */
interface Offer {
  readonly scheme: string;
  /** What tells credentials of this way from others of its scheme. */
  readonly parameters: readonly ChallengeParameter[];
  /** OAuth's parameters (`error`, `resource_metadata`) mean something to the scheme. */
  readonly isOAuth: boolean;
  /** The place that it names instead of a scheme of its own; absent for others. */
  readonly keyPlace?: string;
}

/** Compiles the challenges of these providers; Bearer where none of them names a way. */
export function compileChallenges(providers: readonly MessageProvider[]): Challenges {
  const offers = toOffers(providers);
  return {
    forDenial: (denial, presented, context) => {
      const error = errorOf(denial);
      return error === undefined ? [] : write(offers, error, presented, context);
    },
    forShortfall: (error, presented, context) => write(offers, error, presented, context),
  };
}

/** For who connects: no scheme is registered for certificates, and RFC 9110 15.5.2 asks for a challenge. */
export function peerChallenge({ realm }: Pick<ChallengeContext, 'realm'>): string {
  return formatChallenge('ClientCertificate', [['realm', realm]]);
}

/** Of DPoP proofs (RFC 9449 7.1 and 9); whatever else is wrong with a token makes it invalid (RFC 6750 3.1). */
const proofErrors: ReadonlyMap<ReasonCode, string> = new Map([
  ['dpop_proof', 'invalid_dpop_proof'],
  ['dpop_replayed', 'invalid_dpop_proof'],
  ['dpop_nonce', 'use_dpop_nonce'],
]);

/** The error parameters of a denial: none for a credential that is missing; undefined where no challenge is due. */
function errorOf({ code, message }: Denial): readonly ChallengeParameter[] | undefined {
  if (code === 'credential_missing') return [];
  const described = (error: string): readonly ChallengeParameter[] => [
    ['error', error],
    ['error_description', message],
  ];
  switch (reasons[code].status) {
    case 401:
      return described(proofErrors.get(code) ?? 'invalid_token');
    case 400:
      return described('invalid_request');
    case 200:
    case 403:
    case 503:
      return undefined;
  }
}

/**
 * Every offer, with the error on those that the credential was presented by (RFC 6750 3, RFC 9449 7.1): the others say only that they
 * would do. Where it came by none that is offered, as a token in a cookie does, every OAuth scheme says what is wrong.
 */
function write(
  offers: readonly Offer[],
  error: readonly ChallengeParameter[],
  presented: readonly CredentialPlace[],
  { realm, resourceMetadata }: ChallengeContext,
): readonly string[] {
  const schemes = new Set(presented.map(schemeOf));
  // A key in a place of its own is offered by its place, and says nothing of a scheme.
  const isKey = (place: CredentialPlace): boolean => offers.some(({ keyPlace }) => keyPlace === placeKey(place));
  const usedSome = presented.some(isKey) || offers.some(({ scheme }) => schemes.has(scheme.toLowerCase()));
  return offers.map(({ scheme, parameters, isOAuth }) => {
    const tells = isOAuth && (!usedSome || schemes.has(scheme.toLowerCase()));
    const metadata: readonly ChallengeParameter[] =
      isOAuth && resourceMetadata !== undefined ? [['resource_metadata', resourceMetadata]] : [];
    return formatChallenge(scheme, [['realm', realm], ...(tells ? error : []), ...parameters, ...metadata]);
  });
}

function schemeOf(place: CredentialPlace): string | undefined {
  return place.in === 'header' ? place.scheme?.toLowerCase() : undefined;
}

const bearer: Offer = { scheme: 'Bearer', parameters: [], isOAuth: true };

function toOffers(providers: readonly MessageProvider[]): readonly Offer[] {
  const offers = new Map<string, Offer>();
  for (const { spec, places } of providers) {
    for (const place of places) {
      const offer = toOffer(spec, place);
      if (offer === undefined) continue;
      const key = JSON.stringify([offer.scheme.toLowerCase(), offer.parameters]);
      if (!offers.has(key)) offers.set(key, offer);
    }
  }
  return offers.size === 0 ? [bearer] : [...offers.values()];
}

/** Undefined for a place that no scheme can name, and for a scheme with which no token of the provider would pass. */
function toOffer(spec: MessageProviderSpec, place: CredentialPlace): Offer | undefined {
  const scheme = place.in === 'header' ? place.scheme : undefined;
  switch (spec.type) {
    case 'Basic':
      // RFC 7617 2.1: names and passwords are UTF-8.
      return { scheme: scheme ?? 'Basic', parameters: [['charset', 'UTF-8']], isOAuth: false };
    case 'APIKey':
      return scheme === undefined ? keyOffer(place) : { scheme, parameters: [], isOAuth: false };
    case 'JWT':
      if (isDpopPlace(place)) return dpopOffer;
      return scheme === undefined || spec.binding.dpop === 'Required' ? undefined : { ...bearer, scheme };
    case 'Introspection':
      if (isDpopPlace(place)) return dpopOffer;
      return scheme === undefined ? undefined : { ...bearer, scheme };
    case 'SharedSecretJWT':
    case 'ServiceAccount':
      return scheme === undefined ? undefined : { ...bearer, scheme };
  }
}

/** RFC 9449 7.1 `algs`: what proofs may be signed with. */
const dpopOffer: Offer = { scheme: 'DPoP', parameters: [['algs', proofAlgorithms.join(' ')]], isOAuth: true };

/** No scheme is registered for a key in a place of its own: the challenge says the place. */
function keyOffer(place: CredentialPlace): Offer {
  return { scheme: 'ApiKey', parameters: [[place.in, place.name]], isOAuth: false, keyPlace: placeKey(place) };
}
