import { Failure, messageOf } from '../../../core/failure.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { IntrospectionResult } from '../../../core/ports.ts';
import { thrownFields } from '../../../core/thrown-fields.ts';
import type { IntrospectionProviderSpec } from '../../../policy/provider-spec.ts';
import { specKey } from '../../../policy/spec-name.ts';
import { createCallSlots } from '../../../std/call-slots.ts';
import { createCircuitBreaker, type BreakerPass } from '../../../std/circuit-breaker.ts';
import type { IdentityPorts } from '../identity-ports.ts';
import type { KeyCache } from '../jwt/key-cache.ts';
import type { IntrospectionClient } from './client-authentication.ts';
import { createAnswerUses } from './answer-uses.ts';
import { fail, jsonType, judgeResponse, readActive, readAnswer, signedType } from './read-answer.ts';
import { maxAge, readSignedAnswer, type SignedAnswerRules } from './read-signed-answer.ts';

/** What the issuer says of a token. */
export type Asked =
  | { readonly kind: 'active'; readonly answer: JsonObject; readonly bytes: number }
  | { readonly kind: 'inactive' }
  | { readonly kind: 'unavailable' };

/** The endpoint of one provider. */
export interface IntrospectionEndpoint {
  /** Asks about one token, within the time-out of the spec. Never rejects. */
  ask(token: string): Promise<Asked>;
  /** Why the last question got no answer, without a secret; undefined where it got one. */
  readonly lastError: string | undefined;
}

export interface IntrospectionEndpointOptions {
  readonly spec: IntrospectionProviderSpec;
  readonly client: IntrospectionClient;
  /** PEM certificates to trust instead of the system's. */
  readonly ca: string | undefined;
  /** Where answers must be signed: what they are held against. */
  readonly signed: Signed | undefined;
  readonly ports: IdentityPorts;
}

interface Signed {
  readonly rules: SignedAnswerRules;
  readonly keys: KeyCache;
}

export const maxAnswerBytes = 65_536;
/** A flood of tokens that nobody knows asks no more at once, and lets no more wait. */
const maxRunning = 50;
const maxWaiting = 500;
const breakerLimits = { failures: 5, pause: { firstMs: 1_000, maxMs: 30_000 } } as const;
/** An answer can be taken from `maxAge` before its `iat` to as long after it. */
const usesLimits = { maxEntries: 50_000, keptMs: 2 * maxAge * 1000 };
/** Within this each reason why there is no answer is logged once, and so many of them; the metric counts each failure. */
const logIntervalMs = 10_000;
const maxReasons = 5;

const failuresOfTokens: ReadonlySet<string> = new Set(['introspection_rejected', 'introspection_reused']);
const unavailable: Asked = { kind: 'unavailable' };

export function createIntrospectionEndpoint(options: IntrospectionEndpointOptions): IntrospectionEndpoint {
  return new Endpoint(options);
}

class Endpoint implements IntrospectionEndpoint {
  lastError: string | undefined;
  readonly #options: IntrospectionEndpointOptions;
  readonly #slots;
  readonly #breaker;
  readonly #provider: string;
  readonly #uses = createAnswerUses(usesLimits);
  #hasAnswered = false;
  /** Monotonic, of the first line since the issuer answered or the interval ended. */
  #loggedAt = -Infinity;
  readonly #loggedReasons = new Set<string>();

  constructor(options: IntrospectionEndpointOptions) {
    this.#options = options;
    this.#provider = specKey(options.spec);
    this.#slots = createCallSlots({ timers: options.ports.timers, running: maxRunning, waiting: maxWaiting });
    this.#breaker = createCircuitBreaker({ ...options.ports, ...breakerLimits });
  }

  async ask(token: string): Promise<Asked> {
    const { ports, spec } = this.#options;
    const end = ports.clock.monotonic() + spec.timeout * 1000;
    const release = await this.#slots.take(spec.timeout * 1000);
    if (release === undefined) return this.#skip();
    try {
      const pass = this.#breaker.enter();
      return pass === undefined ? this.#skip() : await this.#askNow(token, pass, end);
    } finally {
      release();
    }
  }

  #skip(): Asked {
    this.#options.ports.events.introspection(this.#provider, 'skipped', 0);
    return unavailable;
  }

  async #askNow(token: string, pass: BreakerPass, end: number): Promise<Asked> {
    const started = this.#options.ports.clock.monotonic();
    try {
      const asked = await this.#exchange(token, end);
      pass.succeeded();
      this.#hasAnswered = true;
      this.#tell(asked.kind, started);
      if (this.lastError !== undefined) this.#sayThatItAnswers();
      return asked;
    } catch (error) {
      const isOfTheToken = error instanceof Failure && failuresOfTokens.has(error.code);
      if (isOfTheToken) pass.abandoned();
      else pass.failed();
      this.#tell('failed', started);
      // Once it has answered us, what it refuses to look at is the token's fault: no client may write into our status with one.
      if (!(isOfTheToken && this.#hasAnswered)) this.#sayWhy(error);
      return unavailable;
    }
  }

  /** One question and its answer, judged as far as it says whether the token is active. Throws a Failure. */
  async #exchange(token: string, end: number): Promise<Exclude<Asked, { kind: 'unavailable' }>> {
    const { spec, client, ca, signed, ports } = this.#options;
    const { headers, parameters } = await client.credentials();
    const wanted = signed === undefined ? jsonType : signedType;
    const response = await ports.http.send(
      spec.endpoint,
      {
        method: 'POST',
        headers: { ...headers, accept: wanted, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ token, token_type_hint: 'access_token', ...parameters }).toString(),
      },
      { timeoutMs: Math.max(1, end - ports.clock.monotonic()), maxBytes: maxAnswerBytes, ca },
    );
    judgeResponse(response, wanted);
    const answer =
      signed === undefined ? readAnswer(response.body) : await this.#readSigned(response.body, token, signed);
    return readActive(answer) ? { kind: 'active', answer, bytes: response.body.length } : { kind: 'inactive' };
  }

  /** That a token is not active may be said of two in the same words; that it is, of one. */
  async #readSigned(body: Uint8Array, token: string, { rules, keys }: Signed): Promise<JsonObject> {
    const { clock } = this.#options.ports;
    const { answer, signed } = await readSignedAnswer(body, rules, keys, () => clock.now() / 1000);
    if (readActive(answer) && !this.#uses.isFor(signed, token, clock.monotonic()))
      throw fail('introspection_reused', 'answers with the JWT that it gave for another token');
    return answer;
  }

  #tell(result: IntrospectionResult, started: number): void {
    const { events, clock } = this.#options.ports;
    events.introspection(this.#provider, result, clock.monotonic() - started);
  }

  #sayThatItAnswers(): void {
    this.lastError = undefined;
    // Only after a line that said the contrary, which there is not for each failure.
    if (this.#loggedAt === -Infinity) return;
    this.#loggedAt = -Infinity;
    this.#options.ports.logger.info({ provider: this.#provider }, 'the issuer answers introspection again');
  }

  #sayWhy(error: unknown): void {
    const { logger, clock } = this.#options.ports;
    this.lastError = describe(error, this.#options.spec.endpoint);
    const now = clock.monotonic();
    if (now - this.#loggedAt >= logIntervalMs) {
      this.#loggedAt = now;
      this.#loggedReasons.clear();
    }
    if (this.#loggedReasons.has(this.lastError) || this.#loggedReasons.size >= maxReasons) return;
    this.#loggedReasons.add(this.lastError);
    const fields = { provider: this.#provider, why: this.lastError };
    if (error instanceof Failure)
      logger.warn({ ...fields, code: error.code }, 'the issuer gives no answer about tokens');
    else logger.error({ ...fields, ...thrownFields(error) }, 'introspection failed');
  }
}

/** Failures of the HTTP client name the endpoint themselves; what something else threw may quote anything. */
function describe(error: unknown, endpoint: string): string {
  if (!(error instanceof Failure)) return 'Portcullis failed to ask; the log says where';
  if (!error.code.startsWith('introspection_')) return messageOf(error);
  const { origin, pathname } = new URL(endpoint);
  return `${origin}${pathname} ${messageOf(error)}`;
}
