import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { isDenial, readRequest } from '../../../src/canonical/read-request.ts';
import { Failure } from '../../../src/core/failure.ts';
import type {
  Clock,
  HttpClient,
  HttpRequest,
  HttpResponse,
  LogFields,
  Logger,
  Timers,
} from '../../../src/core/ports.ts';
import type { RawHeader, RawRequest, Request } from '../../../src/core/request.ts';
import { compileAuthentication } from '../../../src/phases/identity/authenticate.ts';
import type { IdentityPorts } from '../../../src/phases/identity/identity-ports.ts';
import type { Credential, MessageProvider, VerifyResult } from '../../../src/phases/identity/identity-provider.ts';
import { createDpop } from '../../../src/phases/identity/dpop/dpop.ts';
import { createMemoryReplayStore } from '../../../src/phases/identity/dpop/memory-replay-store.ts';
import { defaultIdentitySettings, type IdentitySettings } from '../../../src/phases/identity/identity-settings.ts';
import { createJwtProvider } from '../../../src/phases/identity/jwt/jwt-provider.ts';
import { createTokenCache } from '../../../src/phases/identity/jwt/token-cache.ts';
import { inlinePasswords } from '../../support/inline-passwords.ts';
import { rawHeaders } from '../../../src/canonical/raw-headers.ts';
import type { JwtProviderSpec } from '../../../src/policy/provider-spec.ts';

export const issuer = 'https://idp.example/tenant';
export const audience = 'api://orders';
export const jwksUri = 'https://idp.example/tenant/keys';
export const discoveryUri = 'https://idp.example/tenant/.well-known/openid-configuration';
/** Where the frozen clock stands: seconds since the epoch. */
export const startSeconds = 1_800_000_000;

export const bearer = { in: 'header', name: 'authorization', scheme: 'Bearer' } as const;

export function jwtSpec(changes: Partial<JwtProviderSpec> = {}): JwtProviderSpec {
  return {
    kind: 'IdentityProvider',
    type: 'JWT',
    namespace: 'shop',
    name: 'okta',
    issuer,
    audiences: [audience],
    keys: { type: 'URI', uri: jwksUri },
    ca: undefined,
    algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'],
    profile: 'Any',
    clockSkew: 30,
    maxLifetime: undefined,
    requiredClaims: [],
    from: [bearer],
    claims: { subject: 'sub', scopes: ['scope', 'scp'], roles: [] },
    binding: { certificate: 'IfBound', dpop: 'IfBound' },
    dpopNonce: 'Never',
    ...changes,
  };
}

export interface TestKey {
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** With `kid`, `use` and `alg`. */
  readonly jwk: Readonly<Record<string, unknown>>;
}

export function rsaKey(kid: string, modulusLength = 2048, alg = 'RS256'): TestKey {
  return toTestKey(alg, kid, generateKeyPairSync('rsa', { modulusLength }));
}

export function ecKey(kid: string, alg = 'ES256', namedCurve = 'P-256'): TestKey {
  return toTestKey(alg, kid, generateKeyPairSync('ec', { namedCurve }));
}

export function edKey(kid: string): TestKey {
  return toTestKey('EdDSA', kid, generateKeyPairSync('ed25519'));
}

function toTestKey(alg: string, kid: string, pair: { publicKey: KeyObject; privateKey: KeyObject }): TestKey {
  return { ...pair, alg, jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg } };
}

/** The key's JWK without some of its members. */
export function jwkWithout(key: TestKey, ...names: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(key.jwk).filter(([name]) => !names.includes(name)));
}

export function encode(text: string | Uint8Array): string {
  return Buffer.from(text).toString('base64url');
}

/** Signs whatever the texts are, well formed or not. */
export function signText(header: string, payload: string, key: TestKey, alg = key.alg): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${encode(signatureOf(Buffer.from(input), key.privateKey, alg))}`;
}

function signatureOf(input: Buffer, key: KeyObject, alg: string): Buffer {
  const hash = `sha${alg.slice(2)}`;
  if (alg === 'EdDSA') return sign(null, input, key);
  if (alg.startsWith('ES')) return sign(hash, input, { key, dsaEncoding: 'ieee-p1363' });
  if (alg.startsWith('PS')) return sign(hash, input, { key, padding: 6, saltLength: Number(alg.slice(2)) / 8 });
  return sign(hash, input, key);
}

/** A token of an HMAC over the secret: what an attacker makes of a public key. */
export function hmacToken(header: object, claims: object, secret: string | Buffer): string {
  const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

export type Claims = Readonly<Record<string, unknown>>;

/** The claims of a good token; `undefined` in the changes takes a claim out. */
export function goodClaims(changes: Claims = {}): Claims {
  return {
    iss: issuer,
    aud: audience,
    sub: 'alice',
    iat: startSeconds - 10,
    exp: startSeconds + 600,
    ...changes,
  };
}

/** A token of good claims but for the changes, signed by the key under its own id. */
export function tokenOf(key: TestKey, claims: Claims = {}, header: Claims = {}): string {
  const head = { alg: key.alg, kid: key.jwk['kid'], typ: 'JWT', ...header };
  return signText(JSON.stringify(head), JSON.stringify(goodClaims(claims)), key);
}

export interface ManualTime {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Milliseconds from now of every timer that is waited for. */
  pending(): readonly number[];
  /** Lets time pass, timers fire in their order, and what they start come to rest. */
  advance(milliseconds: number): Promise<void>;
  /** Sets the wall clock alone. */
  setWall(seconds: number): void;
}

export function manualTime(): ManualTime {
  let wall = startSeconds * 1000;
  let monotonic = 5_000;
  const waiting = new Set<{ readonly at: number; readonly action: () => void }>();
  return {
    clock: { now: () => wall, monotonic: () => monotonic },
    timers: {
      after(delayMs, action) {
        const entry = { at: monotonic + delayMs, action };
        waiting.add(entry);
        return () => void waiting.delete(entry);
      },
    },
    pending: () => [...waiting].map(({ at }) => at - monotonic),
    async advance(milliseconds) {
      const end = monotonic + milliseconds;
      for (;;) {
        const next = [...waiting].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        wall += next.at - monotonic;
        monotonic = next.at;
        waiting.delete(next);
        next.action();
        await settle();
      }
      wall += end - monotonic;
      monotonic = end;
      await settle();
    },
    setWall(seconds) {
      wall = seconds * 1000;
    },
  };
}

/** Until what was started (imports of keys among it) has come to rest. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 40; i++) await setImmediate();
}

export interface FakeHttp extends HttpClient {
  /** Every URL asked for, in order. */
  readonly calls: string[];
  /** What the next requests for the URL get: bytes, a text, JSON, or what the function throws or answers. */
  answer(url: string, with_: HttpAnswer): void;
  /** Everything sent, in order. */
  readonly sent: { readonly url: string; readonly request: HttpRequest }[];
  /** What answers whatever is sent to the URL from now on. */
  answerSent(url: string, with_: SentAnswer): void;
}

export type SentAnswer = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;

export type HttpAnswer = Uint8Array | string | object | (() => Promise<Uint8Array>);

/** Answers 404 for what it was told nothing of. */
export function fakeHttp(): FakeHttp {
  const answers = new Map<string, HttpAnswer>();
  const calls: string[] = [];
  const sentAnswers = new Map<string, SentAnswer>();
  const sent: FakeHttp['sent'] = [];
  return {
    calls,
    sent,
    answerSent: (url, with_) => void sentAnswers.set(url, with_),
    async send(url, request) {
      sent.push({ url, request });
      const answer = sentAnswers.get(url);
      if (answer === undefined) throw new Failure('http_connect', `POST ${url}: nobody is there`);
      return answer(request);
    },
    answer: (url, with_) => void answers.set(url, with_),
    async get(url) {
      calls.push(url);
      const answer = answers.get(url);
      if (answer === undefined) throw new Failure('http_status', `GET ${url}: status 404`);
      if (typeof answer === 'function') return answer();
      if (answer instanceof Uint8Array) return answer;
      return Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer));
    },
  };
}

export function failing(code: string): () => Promise<Uint8Array> {
  return () => Promise.reject(new Failure(code, `GET ${jwksUri}: ${code}`));
}

export interface RecordingLog extends Logger {
  readonly lines: { readonly level: string; readonly fields: LogFields; readonly message: string }[];
}

export function recordingLog(): RecordingLog {
  const lines: RecordingLog['lines'] = [];
  const at = (level: string) => (fields: LogFields, message: string) => void lines.push({ level, fields, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export interface World {
  readonly ports: IdentityPorts;
  readonly time: ManualTime;
  readonly http: FakeHttp;
  readonly log: RecordingLog;
  /** `hit`, `miss`, `ok`, `failed`, `active`, `inactive`, `skipped` in the order told. */
  readonly events: string[];
  provider(changes?: Partial<JwtProviderSpec>): MessageProvider;
}

/** Everything around a provider, with a JWKS of these keys at `jwksUri`. */
export function createWorld(keys: readonly TestKey[], settings: Partial<IdentitySettings> = {}): World {
  const time = manualTime();
  const http = fakeHttp();
  const log = recordingLog();
  const events: string[] = [];
  http.answer(jwksUri, { keys: keys.map((key) => key.jwk) });
  const ports: IdentityPorts = {
    ...time,
    http,
    passwords: inlinePasswords,
    logger: log,
    random: { id: () => '0', fraction: () => 0 },
    events: {
      tokenCache: (result) => void events.push(result),
      keyFetch: (_provider, result) => void events.push(result),
      introspection: (_provider, result) => void events.push(result),
      passwordCheck: (result) => void events.push(result),
    },
    settings: { ...defaultIdentitySettings, ...settings },
    tokens: createTokenCache({ maxEntries: 100, maxBytes: 1_000_000 }),
    dpop: createDpop({
      ...time,
      logger: log,
      replays: createMemoryReplayStore(1000, time.clock),
      nonceKey: 'a key of the tests alone',
    }),
  };
  return {
    ports,
    time,
    http,
    log,
    events,
    provider: (changes = {}) => createJwtProvider(jwtSpec(changes), { keysText: undefined, ca: undefined }, ports),
  };
}

export interface RequestParts {
  readonly target?: string;
  readonly headers?: readonly (readonly [name: string, value: string] | RawHeader)[];
  readonly duplicates?: RawRequest['duplicates'];
  readonly method?: string;
  readonly host?: string;
  readonly scheme?: string;
  readonly principal?: string;
  readonly certificate?: string;
}

/** A request as the canonicaliser reads it; throws where it refuses it. */
export function requestOf(parts: RequestParts): Request {
  const headers = (parts.headers ?? []).map((header): RawHeader =>
    'name' in header ? header : { name: header[0], value: header[1], isText: true },
  );
  const reading = readRequest(
    {
      kind: 'http',
      method: parts.method ?? 'GET',
      target: parts.target ?? '/orders',
      host: parts.host ?? 'shop.example',
      scheme: parts.scheme ?? 'https',
      protocol: 'HTTP/1.1',
      headers: rawHeaders(headers),
      duplicates: parts.duplicates ?? 'separate',
      peerAddress: '203.0.113.7',
      peerPrincipal: parts.principal ?? '',
      peerCertificate: parts.certificate ?? '',
      contextExtensions: new Map(),
      route: undefined,
    },
    { trustedHops: 0, maxHeaders: 100 },
  );
  if (isDenial(reading)) throw new Error(`the canonicaliser refuses the request: ${reading.code}`);
  return reading;
}

/** `allow`, or the code of the denial. */
export function verdictOf(result: VerifyResult): string {
  return 'identity' in result ? 'allow' : result.denial.code;
}

/** Presents the token as a Bearer credential. */
export async function present(provider: MessageProvider, token: string): Promise<string> {
  const request = requestOf({ headers: [['authorization', `Bearer ${token}`]] });
  return verdictOf(await compileAuthentication([provider])(request, 'shop'));
}

/** The token as a Bearer credential of a request that holds nothing else. */
export function credentialOf(token: string, request: Request = requestOf({})): Credential {
  return { token, place: bearer, request };
}
