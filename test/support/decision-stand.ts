import { createEngine, type Engine, type EnginePorts, type EngineSettings } from '../../src/engine/engine.ts';
import { Failure } from '../../src/core/failure.ts';
import type { Clock, ExpressionPlace, HttpClient, Logger, Random, Timers } from '../../src/core/ports.ts';
import { answeringClient } from '../../src/engine/answered-introspection.ts';
import { accountTokensOf, issuersOf, readIssuable, type Issuable } from '../../src/policy-test/token-issuers.ts';
import { isJwtProvider } from '../../src/policy/provider-spec.ts';
import type { AuthorDocument } from '../../src/policy/spec.ts';
import { reviewsOf } from '../../src/policy-test/granted-access.ts';
import type { PolicyTestOptions, TokenSpec } from '../../src/policy-test/policy-test.ts';
import { inlinePasswords } from './inline-passwords.ts';
import { createTokenMint, type TokenMint } from '../../src/policy-test/token-mint.ts';

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

/** An engine with frozen time and issuers of its own, for deciding without a network. */
export interface DecisionStand {
  readonly engine: Engine;
  readonly mint: TokenMint;
  readonly log: readonly LogLine[];
  /** Where expressions gave no value, in order. */
  readonly expressionFailures: readonly ExpressionPlace[];
  /** Where credentials were sent to, in order. */
  readonly sentTo: readonly string[];
  readonly clock: Clock & { set(nowMs: number): void };
  apply(documents: readonly AuthorDocument[], unreadable?: readonly string[]): Promise<void>;
  /** Takes the issuers off the network, and back. */
  setOnline(online: boolean): void;
  close(): void;
}

export interface StandOptions extends PolicyTestOptions {
  readonly issuers?: Readonly<Record<string, { readonly alg?: string }>>;
  readonly tokens?: Readonly<Record<string, TokenSpec>>;
  /** Of another stand with the same issuers and tokens, whose tokens are then the same. */
  readonly mint?: TokenMint;
  /** What takes the place of the stand's own; with a clock, `DecisionStand.clock` moves nothing. */
  readonly ports?: Partial<EnginePorts>;
  readonly identity?: EngineSettings['identity'];
}

/** Timers that really wait, and never keep a test run alive. */
export const realTimers: Timers = {
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export async function createDecisionStand(
  documents: readonly AuthorDocument[],
  options: StandOptions = {},
): Promise<DecisionStand> {
  const clock = createClock(Date.parse(options.now ?? '2026-06-01T12:00:00Z'));
  const issuable = readIssuable(documents, 'portcullis');
  const { providers } = issuable;
  const known = Object.entries(options.issuers ?? {}).filter(([name]) => providers.some((one) => one.name === name));
  const issuers = issuersOf(Object.fromEntries(known), issuable);
  const mint = options.mint ?? (await createTokenMint(issuers, options.tokens ?? {}, clock.now()));
  const log: LogLine[] = [];
  const expressionFailures: ExpressionPlace[] = [];
  const network = { online: true, sentTo: [] as string[] };
  const logger = createLog(log);
  const engine = createEngine(
    {
      trustedHops: options.trustedHops ?? 0,
      maxHeaders: 200,
      serviceNamespace: 'portcullis',
      hostGrants: options.hostGrants === undefined ? undefined : new Map(Object.entries(options.hostGrants)),
      ownedHeaders: options.ownedHeaders ?? [],
      forwardedClientCertFrom: options.forwardedClientCertFrom ?? [],
      keyLoadTimeoutMs: 2000,
      shadowAll: options.shadowAll ?? false,
      identity: { tokenCacheEntries: 1000, ...options.identity },
    },
    {
      clock,
      timers: realTimers,
      random,
      logger,
      reviews: reviewsOf(options.accessGrants, accountTokensOf(issuers, mint, clock.now())),
      http: createIssuerNetwork(providers, mint, network),
      passwords: inlinePasswords,
      events: {
        tokenCache: () => undefined,
        keyFetch: () => undefined,
        introspection: () => undefined,
        passwordCheck: () => undefined,
        expressionFailed: (place) => void expressionFailures.push(place),
      },
      ...options.ports,
    },
  );
  const apply = async (next: readonly AuthorDocument[], unreadable: readonly string[] = []): Promise<void> => {
    await engine.apply({ documents: next, problems: [], unreadable: new Set(unreadable) });
  };
  await apply(documents);
  return {
    engine,
    mint,
    log,
    expressionFailures,
    sentTo: network.sentTo,
    clock,
    apply,
    setOnline: (online) => {
      network.online = online;
    },
    close: () => engine.close(),
  };
}

function createClock(startMs: number): DecisionStand['clock'] {
  let now = startMs;
  return {
    now: () => now,
    monotonic: () => now,
    set: (nowMs) => {
      now = nowMs;
    },
  };
}

let ids = 0;
export const random: Random = { id: () => `id-${++ids}`, fraction: () => 0.5 };

function createLog(lines: LogLine[]): Logger {
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** The issuers as a network would show them: discovery below the issuer, keys, and answers about tokens. */
function createIssuerNetwork(
  providers: Issuable['providers'],
  mint: TokenMint,
  network: { readonly online: boolean; readonly sentTo: string[] },
): HttpClient {
  return {
    get: async (url) => {
      if (!network.online) throw new Failure('http_connect', 'no network');
      for (const { name, issuer, keys } of providers.filter(isJwtProvider)) {
        const jwksUri = keys.type === 'URI' ? keys.uri : `${issuer}/jwks`;
        if (url === jwksUri) return encode(await mint.jwks(name));
        if (url === `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
          return encode({ issuer, jwks_uri: jwksUri });
      }
      throw new Failure('http_status', 'answered 404');
    },
    send: async (url, request, limits) => {
      network.sentTo.push(url);
      const asked = providers.find((provider) => provider.type === 'Introspection' && provider.endpoint === url);
      if (!network.online || asked === undefined) throw new Failure('http_connect', 'nobody takes what is sent');
      return answeringClient((token) => mint.vouch(asked.name, token)).send(url, request, limits);
    },
  };
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
