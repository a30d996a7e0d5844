import { denial, type Denial } from '../../core/decision.ts';
import { reasons } from '../../core/reason.ts';
import type { Request } from '../../core/request.ts';
import { credentialForm, findDispute, placeKey, type CredentialForm } from '../../policy/providers/credential-forms.ts';
import type { CredentialPlace } from '../../policy/provider-spec.ts';
import { compileChallenges, peerChallenge, type ChallengeContext, type Challenges } from './challenges.ts';
import { compilePlaceReader, type Found, type PlaceReader } from './credential-place.ts';
import type { ChallengeParameter } from '../../std/www-authenticate.ts';
import type { IdentityProvider, MessageProvider, PeerProvider, Refused, VerifyResult } from './identity-provider.ts';
import { defaultIdentitySettings } from './identity-settings.ts';
import { peekToken } from './jwt/parse-token.ts';

/**
 * Finds out who sends a request (S17). Answers at once where the token is known or refused without keys, else with a promise that never
 * rejects. `realm` names the protected space in challenges.
 */
export type Authenticate = (
  request: Request,
  realm: string,
  about?: AuthenticationContext,
) => VerifyResult | Promise<VerifyResult>;

/** For whom and in which check a credential is judged. */
export interface AuthenticationContext {
  readonly memo?: VerificationMemo | undefined;
  /** A policy that only watches asks (S9). */
  readonly isShadow?: boolean | undefined;
  /** The URL of the metadata of the protected resource, for challenges. */
  readonly resourceMetadata?: string | undefined;
}

/** What providers said of the one credential of a check: one that may be shown only once is judged once, however many rules ask. */
export type VerificationMemo = Map<IdentityProvider, VerifyResult | Promise<VerifyResult>>;

/** Finds out who connects, as `Authenticate` does who sends; `gone` where the policy names a provider that does not exist any more. */
export function authenticatePeer(
  peer: PeerProvider | 'gone',
  request: Request,
  realm: string,
  { memo }: AuthenticationContext,
): VerifyResult | Promise<VerifyResult> {
  if (peer === 'gone') return { denial: denial('provider_unavailable') };
  const verify = (): VerifyResult | Promise<VerifyResult> => peer.verifyPeer(request);
  const result = memo === undefined ? verify() : rememberIn(memo, peer, verify);
  const challenged = (judged: VerifyResult): VerifyResult =>
    'denial' in judged
      ? {
          ...withChallenges(judged.denial, isUnauthorized(judged.denial) ? [peerChallenge({ realm })] : []),
          refused: judged.refused ?? { provider: peer.spec.name },
        }
      : judged;
  return result instanceof Promise ? result.then(challenged) : challenged(result);
}

function isUnauthorized({ code }: Denial): boolean {
  return reasons[code].status === 401;
}

function withChallenges(denied: Denial, challenges: readonly string[]): Refused {
  return { denial: { ...denied, challenges } };
}

/** A place, and the providers that take credentials from it. */
interface Source {
  readonly place: CredentialPlace;
  readonly read: PlaceReader;
  /** The reader that looks at the characters of a token too, where `read` leaves that to those who judge it. */
  readonly readClosely: PlaceReader | undefined;
  readonly providers: readonly MessageProvider[];
}

type Present = { readonly source: Source; readonly found: Exclude<Found, { kind: 'absent' }> };

/** Compiles the authentication of a rule or policy by its providers; without any, every request lacks its credential. */
export function compileAuthentication(
  providers: readonly MessageProvider[],
  limits: { readonly maxTokenBytes: number } = defaultIdentitySettings,
): Authenticate {
  const sources = toSources(providers);
  const challenges = compileChallenges(providers);
  const disputed = findDisputed(providers);
  return (request, realm, { memo, isShadow = false, resourceMetadata } = {}) => {
    const present = findPresent(sources, request);
    const challenged = (result: VerifyResult): VerifyResult =>
      'denial' in result ? challenge(result.denial, present, challenges, { realm, resourceMetadata }) : result;
    const chosen = chooseCredential(present);
    if ('denial' in chosen) return challenged(chosen);
    const { token, source } = chosen;
    // Looked at where the token is refused: one that was accepted cannot be anything else.
    const unread = (): VerifyResult | undefined => {
      const refused = notOneToken(source, request);
      return refused && challenged(refused);
    };
    const provider = chooseProvider(source, token, limits.maxTokenBytes);
    if ('denial' in provider) return unread() ?? challenged(provider);
    if (disputed.has(provider)) return unread() ?? { denial: twoJudges };
    const credential = { token, place: source.place, request, isShadow };
    const verify = (): VerifyResult | Promise<VerifyResult> => provider.verify(credential);
    const result = memo === undefined ? verify() : rememberIn(memo, provider, verify);
    const named = (judged: VerifyResult): VerifyResult =>
      'denial' in judged
        ? (unread() ?? { ...challenged(judged), refused: judged.refused ?? { provider: provider.spec.name } })
        : judged;
    return result instanceof Promise ? result.then(named) : named(result);
  };
}

/** What is no token at all is nobody's, and said to be so whoever would have judged it. Undefined where it is one. */
function notOneToken({ readClosely }: Source, request: Request): Refused | undefined {
  const found = readClosely?.(request);
  return found?.kind === 'bad' ? { denial: denial('token_malformed', found.why) } : undefined;
}

function challenge(
  denied: Denial,
  present: readonly Present[],
  challenges: Challenges,
  context: ChallengeContext,
): Refused {
  const places = present.map(({ source }) => source.place);
  return withChallenges(denied, challenges.forDenial(denied, places, context));
}

/** Writes the challenges for a good credential that does not reach: `error` and what goes with it. */
export type ChallengeShortfall = (
  request: Request,
  error: readonly ChallengeParameter[],
  context: ChallengeContext,
) => readonly string[];

/** For who connects, where that is the identity: no error is defined for certificates. */
export const peerShortfall: ChallengeShortfall = (_request, _error, context) => [peerChallenge(context)];

/** Compiles it for the providers of a rule. */
export function compileShortfall(providers: readonly MessageProvider[]): ChallengeShortfall {
  const sources = toSources(providers);
  const challenges = compileChallenges(providers);
  return (request, error, context) => {
    const places = findPresent(sources, request).map(({ source }) => source.place);
    return challenges.forShortfall(error, places, context);
  };
}

function rememberIn(
  memo: VerificationMemo,
  provider: IdentityProvider,
  verify: () => VerifyResult | Promise<VerifyResult>,
): VerifyResult | Promise<VerifyResult> {
  const known = memo.get(provider);
  if (known !== undefined) return known;
  const result = verify();
  memo.set(provider, result);
  return result;
}

/** Providers that take what another one takes, which only shows where one was changed after the rule was read: nobody can say who is to judge. */
function findDisputed(providers: readonly MessageProvider[]): ReadonlySet<MessageProvider> {
  const isDisputed = (one: MessageProvider): boolean =>
    providers.some((other) => other !== one && findDispute([one.spec, other.spec]) !== undefined);
  return new Set(providers.filter(isDisputed));
}

const twoJudges = denial('provider_unavailable', 'Two identity providers of the rule take the same credential.');

/**
 * Refuses the request that carries more than one credential for the rules of these providers together, each of which may find one alone
 * in its own places (S17). Says nothing of a credential that is bad or missing.
 */
export function judgeTogether(
  providers: readonly MessageProvider[],
  request: Request,
  context: ChallengeContext,
): Denial | undefined {
  const distinct = [...new Set(providers)];
  const present = findPresent(toSources(distinct), request);
  if (present.length < 2) return undefined;
  const chosen = chooseCredential(present);
  if (!('denial' in chosen)) return undefined;
  return challenge(chosen.denial, present, compileChallenges(distinct), context).denial;
}

/** One source for each distinct place; places of a header with a scheme come first. */
function toSources(providers: readonly MessageProvider[]): readonly Source[] {
  const byPlace = new Map<string, { place: CredentialPlace; providers: MessageProvider[] }>();
  for (const provider of providers) {
    for (const place of provider.places) {
      const key = placeKey(place);
      const known = byPlace.get(key);
      if (known === undefined) byPlace.set(key, { place, providers: [provider] });
      else if (!known.providers.includes(provider)) known.providers.push(provider);
    }
  }
  return [...byPlace.values()]
    .map(({ place, providers }) => toSource(place, providers))
    .sort((a, b) => Number(isWholeHeader(a.place)) - Number(isWholeHeader(b.place)));
}

/** A token is long, and who judges it reads all of it: a pass over its characters before costs as much as the rest of reading it. */
function toSource(place: CredentialPlace, providers: readonly MessageProvider[]): Source {
  const isLeft = providers.every(({ judgesCharacters }) => judgesCharacters === true);
  const readClosely = compilePlaceReader(place);
  return isLeft
    ? { place, providers, read: compilePlaceReader(place, 'find'), readClosely }
    : { place, providers, read: readClosely, readClosely: undefined };
}

function isWholeHeader(place: CredentialPlace): boolean {
  return place.in === 'header' && place.scheme === undefined;
}

function findPresent(sources: readonly Source[], request: Request): readonly Present[] {
  const [only] = sources;
  if (only !== undefined && sources.length === 1) {
    const found = only.read(request);
    return found.kind === 'absent' ? nothingPresent : [{ source: only, found }];
  }
  const present: Present[] = [];
  for (const source of sources) {
    const found = source.read(request);
    if (found.kind === 'absent') continue;
    // What a scheme has claimed of a header is not a second credential for a place that takes the whole value, and neither is a header
    // that is there twice or is no text, of which every scheme says so.
    const isOfHeader = isWholeHeader(source.place) || found.kind === 'duplicated' || found.kind === 'not-text';
    const claimed = isOfHeader && present.some((other) => isSameHeader(other.source.place, source.place));
    if (!claimed) present.push({ source, found });
  }
  return present;
}

const nothingPresent: readonly Present[] = [];

function isSameHeader(a: CredentialPlace, b: CredentialPlace): boolean {
  return a.in === 'header' && b.in === 'header' && a.name === b.name;
}

/** The one credential of a request; two, good or bad, are ambiguous. */
function chooseCredential(
  present: readonly Present[],
): { readonly source: Source; readonly token: string } | { readonly denial: Denial } {
  const [first] = present;
  if (first === undefined) return { denial: denial('credential_missing') };
  for (const { found } of present) {
    if (found.kind === 'duplicated') {
      return { denial: denial('header_duplicated', `The ${found.header} header is there twice.`) };
    }
  }
  if (present.length > 1) return { denial: denial('credential_ambiguous') };
  switch (first.found.kind) {
    case 'token':
      return { source: first.source, token: first.found.token };
    case 'bad':
      return { denial: denial('token_malformed', first.found.why) };
    case 'not-text':
      return { denial: denial('token_malformed', `The ${first.found.header} header is not text.`) };
    case 'ambiguous':
    case 'duplicated':
      return { denial: denial('credential_ambiguous') };
  }
}

/**
 * Who of the providers of the place judges the token (S17): by an HMAC, by its issuer, else the one that takes what says nothing of itself.
 * A place of one provider needs no look: that provider judges all that stands there.
 */
function chooseProvider(
  { providers }: Source,
  token: string,
  maxTokenBytes: number,
): MessageProvider | { readonly denial: Denial } {
  const [only, ...others] = providers;
  if (only !== undefined && others.length === 0) return only;
  const peek = peekToken(token, maxTokenBytes);
  const byForm = (wanted: (form: CredentialForm) => boolean): MessageProvider | undefined =>
    providers.find(({ spec }) => wanted(credentialForm(spec)));
  const opaque = byForm(({ form }) => form === 'opaque');
  if ('denial' in peek) return opaque ?? peek;
  const { alg, issuer } = peek.value;
  const hmac = alg?.startsWith('HS') === true ? (byForm(({ form }) => form === 'hmac') ?? opaque) : undefined;
  if (hmac !== undefined) return hmac;
  const own = byForm((form) => form.form === 'jwt' && form.issuer === issuer);
  return own ?? opaque ?? { denial: denial('token_issuer') };
}
