import { denial, type Denial } from '../../../core/decision.ts';
import { ownMember, type JsonObject } from '../../../core/json.ts';
import type { ReasonCode } from '../../../core/reason.ts';
import { thrownFields } from '../../../core/thrown-fields.ts';
import { placesOf } from '../../../policy/providers/credential-forms.ts';
import type { ProviderMaterial } from '../../../policy/providers/provider-material.ts';
import type { IntrospectionProviderSpec } from '../../../policy/provider-spec.ts';
import { specKey } from '../../../policy/spec-name.ts';
import { createBoundedCache, type BoundedCache } from '../../../std/bounded-cache.ts';
import { deadlineIn, isOver, type Deadline } from '../../../std/deadline.ts';
import { sha256Base64 } from '../../../std/sha256.ts';
import type { IdentityPorts } from '../identity-ports.ts';
import type { MessageProvider, ProviderStatus, VerifyResult } from '../identity-provider.ts';
import { toIdentity } from '../jwt/to-identity.ts';
import type { ProviderTokens, VerifiedToken } from '../jwt/token-cache.ts';
import { beginningOf } from '../jwt/beginning-of.ts';
import type { TokenRules } from '../jwt/token-rules.ts';
import { compileHolderCheck } from '../binding/compile-holder-check.ts';
import { answerJudges, binding, clockSkew, compileAnswerRules } from './answer-rules.ts';
import { connectEndpoint, type Connection } from './connect-endpoint.ts';
import type { Asked, IntrospectionEndpoint } from './introspection-endpoint.ts';

/** Milliseconds that a refusal is remembered at most: a token that was just issued may be asked about too early. */
const refusalMs = 5_000;
const refusalLimits = { maxEntries: 1_000, maxBytes: 1_000_000 };
const refusalBytes = 500;

/** RFC 6750 2.1 and RFC 6749 A.12, without spaces: visible ASCII. */
const opaqueToken = /^[\x21-\x7e]+$/;

/**
 * A provider of type Introspection at work. Answers are remembered under the hash of the whole token, for this provider alone, so that no
 * token is kept; without its Secret or certificates it refuses every token with 503.
 */
export function createIntrospectionProvider(
  spec: IntrospectionProviderSpec,
  material: ProviderMaterial,
  ports: IdentityPorts,
): MessageProvider {
  const connection = connectEndpoint(spec, material, ports);
  const parts: ProviderParts = {
    spec,
    ports,
    endpoint: connection.endpoint,
    rules: compileAnswerRules(spec),
    answers: ports.tokens.forProvider(),
    refusals: createBoundedCache(refusalLimits),
    underWay: new Map(),
  };
  const judgeHolder = compileHolderCheck(binding, 'Never', ports, (error) => toInternalError(parts, error));
  return {
    layer: 'message',
    spec,
    places: placesOf(spec),
    firstLoad: connection.keys?.firstLoad ?? Promise.resolve(),
    verify: (credential) => judgeHolder(credential, verifyToken(parts, credential.token)),
    status: () => toStatus(connection),
    close: () => {
      connection.keys?.close();
      parts.answers.close();
    },
  };
}

interface ProviderParts {
  readonly spec: IntrospectionProviderSpec;
  readonly ports: IdentityPorts;
  /** Undefined: there is no way to ask. */
  readonly endpoint: IntrospectionEndpoint | undefined;
  readonly rules: TokenRules;
  /** By the hash of the token, as everything here. */
  readonly answers: ProviderTokens;
  readonly refusals: BoundedCache<Refusal>;
  readonly underWay: Map<string, Promise<VerifyResult>>;
}

interface Refusal {
  readonly denial: Denial;
  readonly goodUntil: Deadline;
}

function verifyToken(parts: ProviderParts, token: string): VerifyResult | Promise<VerifyResult> {
  const { ports, spec } = parts;
  const { maxTokenBytes } = ports.settings;
  if (token.length > maxTokenBytes)
    return { denial: denial('token_too_large', `The token is longer than ${maxTokenBytes} bytes.`) };
  if (!opaqueToken.test(token))
    return { denial: denial('token_malformed', 'The token has a character that is not visible ASCII.') };
  // What is not remembered is not shared either: each request is to be asked for by itself.
  if (spec.cacheTtl === 0) {
    ports.events.tokenCache('miss');
    return judgeByAnswer(parts, token, undefined);
  }
  const hash = sha256Base64(token);
  const known = recall(parts, hash);
  ports.events.tokenCache(known === undefined ? 'miss' : 'hit');
  if (known !== undefined) return known;
  const running = parts.underWay.get(hash);
  if (running !== undefined) return running;
  const result = judgeByAnswer(parts, token, hash).finally(() => parts.underWay.delete(hash));
  parts.underWay.set(hash, result);
  return result;
}

/** What is remembered of a token and still holds. Of one that has ended meanwhile the issuer has the last word: it may have let it last longer. */
function recall(parts: ProviderParts, hash: string): VerifyResult | undefined {
  const { answers, refusals, ports } = parts;
  const answer = answers.get(hash);
  if (answer !== undefined) {
    const isGood = holdsAt(answer, ports.clock.now() / 1000);
    if (isGood && answer.goodUntil !== undefined && !isOver(answer.goodUntil, ports.clock))
      return { identity: answer.identity };
    answers.delete(hash);
  }
  const refusal = refusals.get(hash);
  if (refusal === undefined) return undefined;
  if (!isOver(refusal.goodUntil, ports.clock)) return { denial: refusal.denial };
  refusals.delete(hash);
  return undefined;
}

/** As when the answer came: also a clock that was set back can end it. */
function holdsAt({ expiresAt, notBefore }: VerifiedToken, now: number): boolean {
  return now < expiresAt && (notBefore === undefined || now >= notBefore - clockSkew);
}

/** Asks and judges; remembers under the hash, where there is one. Never rejects. */
async function judgeByAnswer(parts: ProviderParts, token: string, hash: string | undefined): Promise<VerifyResult> {
  const { ports } = parts;
  try {
    const asked: Asked = (await parts.endpoint?.ask(token)) ?? { kind: 'unavailable' };
    if (asked.kind === 'unavailable') return { denial: denial('introspection_unavailable') };
    if (asked.kind === 'inactive') return refuse(parts, denial('token_inactive'), hash);
    const refused = judgeAnswer(asked.answer, parts.rules, ports.clock.now() / 1000);
    return refused === undefined ? accept(parts, asked, hash) : refuse(parts, refused, hash);
  } catch (error) {
    return toInternalError(parts, error);
  }
}

function toInternalError({ ports, spec }: ProviderParts, error: unknown): VerifyResult {
  ports.logger.error({ provider: specKey(spec), ...thrownFields(error) }, 'a token could not be judged');
  return { denial: denial('internal_error') };
}

/** What is wrong with the answer of an active token; `now` in seconds since the epoch. */
export function judgeAnswer(answer: JsonObject, rules: TokenRules, now: number): Denial | undefined {
  for (const { judge } of answerJudges) {
    const refused = judge(answer, rules, now);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

/** What the clock alone has against an answer is not remembered: it may be set right before the refusal ends. */
const refusedByTime: ReadonlySet<ReasonCode> = new Set(['token_expired', 'token_not_yet_valid']);

function refuse({ refusals, ports, spec }: ProviderParts, reason: Denial, hash: string | undefined): VerifyResult {
  if (hash !== undefined && !refusedByTime.has(reason.code)) {
    const goodUntil = deadlineIn(Math.min(refusalMs, spec.cacheTtl * 1000), ports.clock);
    refusals.set(hash, { denial: reason, goodUntil }, refusalBytes);
  }
  return { denial: reason };
}

function accept(
  { rules, spec, answers, ports }: ProviderParts,
  { answer, bytes }: Extract<Asked, { kind: 'active' }>,
  hash: string | undefined,
): VerifyResult {
  const iss = ownMember(answer, 'iss');
  const identity = toIdentity(answer, { ...rules, issuer: typeof iss === 'string' ? iss : '' }, spec.name);
  if (hash !== undefined) {
    const expiresAt = identity.expiresAt ?? Infinity;
    // By the monotonic clock too: a wall clock that is set back makes no answer last beyond the end of its token.
    const seconds = Math.min(spec.cacheTtl, expiresAt - ports.clock.now() / 1000);
    const verified: VerifiedToken = {
      identity,
      keyFingerprint: '',
      expiresAt,
      notBefore: beginningOf(answer),
      goodUntil: deadlineIn(seconds * 1000, ports.clock),
    };
    answers.set(hash, verified, bytes * 3 + 1_000);
  }
  return { identity };
}

function toStatus({ endpoint, keys, missing }: Connection): ProviderStatus {
  const ofKeys = keys?.status();
  const errors = [missing, endpoint?.lastError, ofKeys?.lastError].filter((error) => error !== undefined);
  return {
    keys: ofKeys?.keys ?? 0,
    keyAgeSeconds: ofKeys?.keyAgeSeconds,
    lastError: errors.length === 0 ? undefined : errors.join('; '),
    unusable: missing,
    isAnswering: missing === undefined && endpoint?.lastError === undefined,
  };
}
