import { denial, type Denial } from '../../../core/decision.ts';
import type { Identity } from '../../../core/identity.ts';
import { ownMember, type JsonObject } from '../../../core/json.ts';
import { thrownFields } from '../../../core/thrown-fields.ts';
import { placesOf } from '../../../policy/providers/credential-forms.ts';
import type { ProviderMaterial } from '../../../policy/providers/provider-material.ts';
import type { SharedSecretJwtProviderSpec } from '../../../policy/provider-spec.ts';
import type { Material } from '../../../policy/read-material.ts';
import { specKey } from '../../../policy/spec-name.ts';
import { isHmac } from '../../../std/hmac.ts';
import { runAtOnce, type Steps } from '../../../std/steps.ts';
import type { ClientTable } from '../clients/client-table.ts';
import { clientStatus } from '../clients/client-status.ts';
import { tellRefused } from '../clients/tell-refused.ts';
import type { IdentityPorts } from '../identity-ports.ts';
import type { MessageProvider, VerifyResult } from '../identity-provider.ts';
import { beginningOf } from '../jwt/beginning-of.ts';
import type { ProviderTokens, VerifiedToken } from '../jwt/token-cache.ts';
import {
  clockSkew,
  compileHmacTokenRules,
  readHmacToken,
  type HmacTokenRules,
  type ReadHmacToken,
} from './hmac-token-rules.ts';
import { createConsumers, type Consumer } from './read-consumer.ts';

/** A provider of type SharedSecretJWT at work: a consumer with a secret of its own for each Secret. */
export function createSharedSecretJwtProvider(
  spec: SharedSecretJwtProviderSpec,
  { secrets }: ProviderMaterial,
  ports: IdentityPorts,
): MessageProvider {
  const consumers = createConsumers(spec);
  const tokens = ports.tokens.forProvider();
  const tell = tellRefused(spec, consumers, ports.logger);
  const provider: ProviderParts = { spec, rules: compileHmacTokenRules(spec), consumers, tokens, ports };
  function* renew(next: readonly Material[]): Steps<() => void> {
    const take = yield* consumers.renew(next);
    return () => {
      take();
      tokens.keepWhere((token) => consumerOf(token, consumers) !== undefined);
      tell();
    };
  }
  runAtOnce(renew(secrets))();
  return {
    layer: 'message',
    spec,
    places: placesOf(spec),
    firstLoad: Promise.resolve(),
    verify: ({ token }) => verifyToken(provider, token),
    status: () => clientStatus(spec, consumers),
    renew: (material) => renew(material.secrets),
    close: () => tokens.close(),
  };
}

interface ProviderParts {
  readonly spec: SharedSecretJwtProviderSpec;
  readonly rules: HmacTokenRules;
  readonly consumers: ClientTable<Consumer>;
  readonly tokens: ProviderTokens;
  readonly ports: IdentityPorts;
}

function verifyToken(provider: ProviderParts, text: string): VerifyResult {
  const { tokens, ports } = provider;
  const known = text.length > ports.settings.maxTokenBytes ? undefined : tokens.get(text);
  const consumer = known && consumerOf(known, provider.consumers);
  if (known !== undefined && consumer !== undefined) {
    if (judgeTimes(known, consumer, nowOf(provider)) === undefined) {
      ports.events.tokenCache('hit');
      return { identity: known.identity };
    }
    // Judged as one that nobody has seen, and refused in the same words.
    tokens.delete(text);
  }
  ports.events.tokenCache('miss');
  try {
    return verifyUnknown(provider, text);
  } catch (error) {
    const fields = { provider: specKey(provider.spec), ...thrownFields(error) };
    ports.logger.error(fields, 'a token could not be judged');
    return { denial: denial('internal_error') };
  }
}

/** Whose Secret verified the token; undefined where that is not in force any more. */
function consumerOf(
  { identity, keyFingerprint }: VerifiedToken,
  consumers: ClientTable<Consumer>,
): Consumer | undefined {
  const consumer = consumers.get(identity.subject);
  return consumer?.fingerprint === keyFingerprint ? consumer : undefined;
}

function verifyUnknown(provider: ProviderParts, text: string): VerifyResult {
  const { spec, rules, consumers, tokens, ports } = provider;
  const now = nowOf(provider);
  const token = readHmacToken(text, rules, { maxBytes: ports.settings.maxTokenBytes, now });
  if ('denial' in token) return token;
  const consumer = consumers.get(token.value.consumer);
  if (consumer === undefined) return { denial: unknownConsumer };
  const refused = judgeCode(token.value, consumer);
  if (refused !== undefined) return { denial: refused };
  const verified = toVerified(token.value.claims, consumer, spec);
  const ended = judgeTimes(verified, consumer, now);
  if (ended !== undefined) return { denial: ended };
  tokens.set(text, verified);
  return { identity: verified.identity };
}

const unknownConsumer = denial('token_key', 'The token names no consumer that the provider knows.');
const weakSecret = denial('token_key', 'The secret of the consumer is too short for the algorithm of the token.');
const pastEnd = denial('token_expired', 'The consumer is past its end.');

const hashes: Readonly<Record<string, 'sha256' | 'sha384' | 'sha512'>> = {
  HS256: 'sha256',
  HS384: 'sha384',
  HS512: 'sha512',
};

/** The code of the token under the consumer's secret (RFC 7515 A.1), with an algorithm that the secret is long enough for. */
function judgeCode({ alg, signingInput, code }: ReadHmacToken, { algorithms, key }: Consumer): Denial | undefined {
  const hash = algorithms.has(alg) ? hashes[alg] : undefined;
  if (hash === undefined) return weakSecret;
  return isHmac(hash, key, signingInput, code) ? undefined : denial('token_signature');
}

/** The identity is the consumer's; what the token says of itself stays in its claims. */
function toVerified(claims: JsonObject, consumer: Consumer, spec: SharedSecretJwtProviderSpec): VerifiedToken {
  const { name, clientId = name, scopes, roles, fingerprint } = consumer;
  const exp = ownMember(claims, 'exp');
  const expiresAt = typeof exp === 'number' ? exp : 0;
  const identity: Identity = Object.freeze({
    authenticated: true,
    subject: name,
    issuer: '',
    provider: spec.name,
    clientId,
    scopes,
    roles,
    claims,
    expiresAt: Math.min(expiresAt, consumer.expiresAt ?? expiresAt),
  });
  return {
    identity,
    keyFingerprint: fingerprint,
    expiresAt,
    notBefore: beginningOf(claims, spec.verifyNotBefore ? ['nbf', 'iat'] : ['iat']),
  };
}

/** What can end a token that was good before: also a clock that was set back. */
function judgeTimes(token: VerifiedToken, { expiresAt }: Consumer, now: number): Denial | undefined {
  if (expiresAt !== undefined && now >= expiresAt) return pastEnd;
  if (now >= token.expiresAt + clockSkew) return denial('token_expired');
  const early = token.notBefore !== undefined && now < token.notBefore - clockSkew;
  return early ? denial('token_not_yet_valid') : undefined;
}

function nowOf({ ports }: ProviderParts): number {
  return ports.clock.now() / 1000;
}
