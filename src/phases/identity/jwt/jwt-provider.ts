import { denial, type Denial } from '../../../core/decision.ts';
import { ownMember, type JsonObject } from '../../../core/json.ts';
import { thrownFields } from '../../../core/thrown-fields.ts';
import type { JwtProviderSpec } from '../../../policy/provider-spec.ts';
import { specKey } from '../../../policy/spec-name.ts';
import { compileHolderCheck } from '../binding/compile-holder-check.ts';
import type { IssuerMessage } from '../../../core/issuer-message.ts';
import { createIssuerReceiver, type EventMaterial, type IssuerReceiver } from '../events/issuer-receiver.ts';
import { createProviderKeys, type KeyMaterial } from './create-provider-keys.ts';
import { placesOf } from '../../../policy/providers/credential-forms.ts';
import type { MessageProvider, ProviderStatus, VerifyResult } from '../identity-provider.ts';
import type { IdentityPorts } from '../identity-ports.ts';
import { claimJudges } from './judge-claims.ts';
import { profileJudges } from './judge-profile.ts';
import type { KeyCache } from './key-cache.ts';
import type { Read } from './parse-token.ts';
import { readJudgedToken } from './read-judged-token.ts';
import { toIdentity } from './to-identity.ts';
import type { ProviderTokens, VerifiedToken } from './token-cache.ts';
import { beginningOf } from './beginning-of.ts';
import { compileTokenRules, type TokenRules } from './token-rules.ts';
import { verifySignature, type SignatureVerdict, type UnverifiedToken } from './verify-signature.ts';

/** A provider of type JWT at work. `material` is what the spec refers to, resolved; without it the provider refuses every token. */
export function createJwtProvider(
  spec: JwtProviderSpec,
  material: KeyMaterial,
  ports: IdentityPorts,
  eventMaterial?: EventMaterial,
): MessageProvider {
  const rules = compileTokenRules(spec);
  const tokens = ports.tokens.forProvider();
  const keys = createProviderKeys(spec, material, rules.algorithms, ports, ({ fingerprints }) =>
    tokens.keepWhere(({ keyFingerprint }) => fingerprints.has(keyFingerprint)),
  );
  const provider: ProviderParts = { spec, rules, tokens, keys, ports };
  const judgeHolder = compileHolderCheck(spec.binding, spec.dpopNonce, ports, (error) =>
    toInternalError(provider, error),
  );
  const receiver = createIssuerReceiver(spec, keys, eventMaterial, ports);
  return {
    layer: 'message',
    spec,
    places: placesOf(spec),
    firstLoad: keys.firstLoad,
    judgesCharacters: true,
    verify: (credential) => judgeHolder(credential, verifyToken(provider, credential.token)),
    ...(receiver && { receive: (message: IssuerMessage) => receiver.receive(message) }),
    status: () => withFailure(keys.status(), receiver),
    close: () => {
      receiver?.close();
      keys.close();
      tokens.close();
    },
  };
}

/** The keys and the secret of a transmitter of events are told of beside the provider's own. */
function withFailure(status: ProviderStatus, receiver: IssuerReceiver | undefined): ProviderStatus {
  const { failure, unusable } = receiver?.faults() ?? {};
  if (failure === undefined && unusable === undefined) return status;
  const join = (own: string | undefined, more: string | undefined): string | undefined =>
    more === undefined ? own : [own, `events: ${more}`].filter((text) => text !== undefined).join('; ');
  return { ...status, lastError: join(status.lastError, failure), unusable: join(status.unusable, unusable) };
}

interface ProviderParts {
  readonly spec: JwtProviderSpec;
  readonly rules: TokenRules;
  readonly tokens: ProviderTokens;
  readonly keys: KeyCache;
  readonly ports: IdentityPorts;
}

/** A token whose text, header and claims passed; its signature has not been looked at. */
interface ReadToken extends UnverifiedToken {
  readonly claims: JsonObject;
}

/** The whole way of a token: what is known of it; its text, header and claims; its signature; what its profile asks. */
function verifyToken(provider: ProviderParts, text: string): VerifyResult | Promise<VerifyResult> {
  const { tokens, ports } = provider;
  const known = text.length > ports.settings.maxTokenBytes ? undefined : tokens.get(text);
  if (known !== undefined && isKeyInForce(provider, known)) {
    if (judgeTimes(provider, known) === undefined) {
      ports.events.tokenCache('hit');
      return { identity: known.identity };
    }
    // Judged as one that nobody has seen, and refused in the same words.
    tokens.delete(text);
  }
  ports.events.tokenCache('miss');
  try {
    const token = readToken(provider, text);
    if ('denial' in token) return token;
    const verdict = verifyUnknown(provider, token.value);
    return verdict instanceof Promise ? verdict.catch((error: unknown) => toInternalError(provider, error)) : verdict;
  } catch (error) {
    return toInternalError(provider, error);
  }
}

const judges = claimJudges.map(({ judge }) => judge);

/** Everything that needs no key: a token refused here never causes a fetch. */
function readToken(provider: ProviderParts, text: string): Read<ReadToken> {
  const { maxTokenBytes: maxBytes } = provider.ports.settings;
  const read = readJudgedToken(text, provider.rules, judges, { maxBytes, now: nowOf(provider) });
  if ('denial' in read) return read;
  const { header, claims } = read.value;
  const kid = ownMember(header, 'kid');
  const alg = ownMember(header, 'alg');
  return {
    value: {
      text,
      alg: typeof alg === 'string' ? alg : '',
      kid: typeof kid === 'string' ? kid : undefined,
      claims,
    },
  };
}

function verifyUnknown(provider: ProviderParts, token: ReadToken): VerifyResult | Promise<VerifyResult> {
  const signature = verifySignature(token, provider.keys);
  return signature instanceof Promise
    ? signature.then((late) => judgeVerified(provider, token, late))
    : judgeVerified(provider, token, signature);
}

/** What is left to judge of a token once its signature was looked at. */
function judgeVerified(provider: ProviderParts, token: ReadToken, signature: SignatureVerdict): VerifyResult {
  const { rules, tokens, spec } = provider;
  if ('denial' in signature) return signature;
  for (const { judge } of profileJudges[rules.profile]) {
    const refused = judge(token.claims, rules, nowOf(provider));
    if (refused !== undefined) return { denial: refused };
  }
  const identity = toIdentity(token.claims, rules, spec.name);
  const verified: VerifiedToken = {
    identity,
    keyFingerprint: signature.key.fingerprint,
    expiresAt: identity.expiresAt ?? 0,
    notBefore: beginningOf(token.claims),
  };
  // Time has passed, and keys may have changed, while keys and cryptography were waited for.
  if (!isKeyInForce(provider, verified)) {
    return { denial: denial(provider.keys.current() === undefined ? 'keys_unavailable' : 'token_key') };
  }
  const ended = judgeTimes(provider, verified);
  if (ended !== undefined) return { denial: ended };
  tokens.set(token.text, verified);
  return { identity };
}

function isKeyInForce(provider: ProviderParts, token: VerifiedToken): boolean {
  return provider.keys.current()?.fingerprints.has(token.keyFingerprint) === true;
}

/** What can end a token that was good before: also a clock that was set back. */
function judgeTimes(provider: ProviderParts, token: VerifiedToken): Denial | undefined {
  const now = nowOf(provider);
  const { clockSkew } = provider.rules;
  if (now >= token.expiresAt + clockSkew) return denial('token_expired');
  const early = token.notBefore !== undefined && now < token.notBefore - clockSkew;
  return early ? denial('token_not_yet_valid') : undefined;
}

/** Seconds since the epoch. */
function nowOf(provider: ProviderParts): number {
  return provider.ports.clock.now() / 1000;
}

function toInternalError(provider: ProviderParts, error: unknown): VerifyResult {
  provider.ports.logger.error(
    { provider: specKey(provider.spec), ...thrownFields(error) },
    'a token could not be judged',
  );
  return { denial: denial('internal_error') };
}
