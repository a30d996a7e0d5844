import { createHmac } from 'node:crypto';
import { SignJWT, exportJWK, exportSPKI, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import { Failure } from '../core/failure.ts';
import type { JsonObject } from '../core/json.ts';
import type { HmacAlgorithm } from '../policy/provider-spec.ts';
import type { TokenSpec } from './policy-test.ts';
import type { SecretOfToken } from './shared-secrets.ts';

type Issuer = SigningIssuer | { readonly spec: KeylessSpec };

interface SigningIssuer {
  readonly spec: Exclude<IssuerSpec, KeylessSpec>;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly otherKey: CryptoKey;
}

type KeylessSpec = Extract<IssuerSpec, { form: 'opaque' | 'shared' }>;

/**
 * Tokens that are signed, those among them that the API server is asked about (`reviewed`), such that consumers make with a secret (`shared`), and
 * such that say nothing to anybody but who gave them out (`opaque`). `iss`, `aud` undefined: tokens say none where the test gives none.
 */
export type IssuerSpec = {
  readonly name: string;
  readonly iss: string | undefined;
  readonly aud: string | undefined;
} & (
  | { readonly form: 'signed' | 'reviewed'; readonly alg: string }
  | { readonly form: 'shared'; readonly alg: HmacAlgorithm; readonly secretOf: SecretOfToken }
  | { readonly form: 'opaque' }
);

/** Throw-away issuers: keys made for one run, and the tokens that a PolicyTest describes. */
export interface TokenMint {
  jwks(issuer: string): Promise<{ readonly keys: readonly JWK[] }>;
  mint(name: string): Promise<string>;
  /** What the issuer says when it is asked about a token: its claims; undefined where it gave out no such token (yet), or somebody else made it. */
  vouch(issuer: string, token: string): JsonObject | undefined;
}

/** Throws a Failure: `token_unknown`, `issuer_unknown`, `time_malformed`, `token_without_key`, and `token_has_no_header` for one that says
 * nothing of itself. */
export async function createTokenMint(
  specs: readonly IssuerSpec[],
  tokens: Readonly<Record<string, TokenSpec>>,
  nowMs: number,
): Promise<TokenMint> {
  const issuers = new Map<string, Issuer>();
  for (const spec of specs) issuers.set(spec.name, await createIssuer(spec));
  const resolve = (name: string): TokenSpec => {
    const spec = tokens[name];
    if (spec === undefined) throw new Failure('token_unknown', `there is no token named ${name}`);
    if (spec.extends === undefined) return spec;
    const base = resolve(spec.extends);
    return { ...base, ...spec, claims: { ...base.claims, ...spec.claims }, header: { ...base.header, ...spec.header } };
  };
  const issuerOf = (name: string | undefined): Issuer => {
    const issuer = name === undefined ? undefined : issuers.get(name);
    if (issuer === undefined)
      throw new Failure(
        'issuer_unknown',
        `no provider of the policies is named ${name}, so nobody can stand in for it`,
      );
    return issuer;
  };
  // The same token of a name every time: what is signed anew would be another one for a cache.
  const minted = new Map<string, Promise<string>>();
  const genuine = new Map<string, JsonObject>();
  const issue = async (name: string): Promise<string> => {
    const spec = resolve(name);
    const issuer = issuerOf(spec.issuer);
    const claims = claimsOf(issuer, spec, Math.floor(nowMs / 1000));
    const token = await write(name, issuer, spec, claims);
    if (spec.sign === undefined) genuine.set(`${issuer.spec.name} ${token}`, claims);
    return token;
  };
  return {
    jwks: async (name) => {
      const issuer = issuerOf(name);
      if (!isSigning(issuer)) return { keys: [] };
      const { publicKey, kid, spec } = issuer;
      return { keys: [{ ...(await exportJWK(publicKey)), kid, alg: spec.alg, use: 'sig' }] };
    },
    mint: (name) => {
      const token = minted.get(name) ?? issue(name);
      minted.set(name, token);
      return token;
    },
    vouch: (issuer, token) => genuine.get(`${issuer} ${token}`),
  };
}

function isSigning(issuer: Issuer): issuer is SigningIssuer {
  return 'privateKey' in issuer;
}

async function createIssuer(spec: IssuerSpec): Promise<Issuer> {
  if (spec.form === 'opaque' || spec.form === 'shared') return { spec };
  const { privateKey, publicKey } = await generateKeyPair(spec.alg, { extractable: true });
  const other = await generateKeyPair(spec.alg, { extractable: true });
  return { spec, kid: `${spec.name}-1`, privateKey, publicKey, otherKey: other.privateKey };
}

async function write(name: string, issuer: Issuer, spec: TokenSpec, claims: JsonObject): Promise<string> {
  if (isSigning(issuer)) return sign(issuer, spec, claims);
  return issuer.spec.form === 'shared' ? authenticate(name, issuer.spec, spec, claims) : nameOpaquely(name, spec);
}

const hashes: Readonly<Record<string, string>> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };

const secretOfNobody = 'a secret that is none of the documents, and long enough for every algorithm';

/** A JWS with the secret of the consumer that it names; with one of nobody where there is none. */
function authenticate(
  name: string,
  { alg, secretOf }: Extract<IssuerSpec, { form: 'shared' }>,
  { header: more, sign: forged }: TokenSpec,
  claims: JsonObject,
): string {
  const header = { alg, typ: 'JWT', ...more };
  if (forged === 'None') return writeUnsigned(header, claims);
  const hash = hashes[header.alg];
  if (forged === 'HmacWithPublicKey' || hash === undefined)
    throw new Failure('token_without_key', `the token ${name} is made with a secret: there is no key for another alg`);
  const secret = (forged === undefined ? secretOf(header, claims) : undefined) ?? secretOfNobody;
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
}

function writeUnsigned(header: JsonObject, claims: JsonObject): string {
  return `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`;
}

/** A text that is no JWT. */
function nameOpaquely(name: string, { header }: TokenSpec): string {
  if (header !== undefined && Object.keys(header).length > 0)
    throw new Failure(
      'token_has_no_header',
      `the token ${name} is opaque: its issuer is asked about it, and it has no header`,
    );
  return `opaque-${encode(name)}`;
}

const timeClaims = new Set(['exp', 'nbf', 'iat', 'auth_time']);

function claimsOf({ spec: { iss, aud } }: Issuer, { claims = {} }: TokenSpec, now: number): JsonObject {
  const defaults = { ...(iss && { iss }), ...(aud && { aud }), iat: now, exp: now + 300 };
  return Object.fromEntries(
    Object.entries({ ...defaults, ...claims })
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, timeClaims.has(name) && typeof value === 'string' ? now + seconds(value) : value]),
  );
}

async function sign(issuer: SigningIssuer, spec: TokenSpec, claims: JsonObject): Promise<string> {
  const header = { alg: issuer.spec.alg, kid: issuer.kid, typ: 'JWT', ...spec.header };
  if (spec.sign === 'None') return writeUnsigned(header, claims);
  if (spec.sign === 'HmacWithPublicKey') {
    const text = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
    const hmac = createHmac('sha256', await exportSPKI(issuer.publicKey));
    return `${text}.${hmac.update(text).digest('base64url')}`;
  }
  const key = spec.sign === 'OtherKey' ? issuer.otherKey : issuer.privateKey;
  return new SignJWT(claims).setProtectedHeader(header).sign(key);
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** `-60s`, `+5m`, `1h`. */
function seconds(text: string): number {
  const parts = /^([+-]?\d+)(s|m|h)$/.exec(text);
  if (parts === null) throw new Failure('time_malformed', `${text} is no time: write a number, or -60s, +5m or 1h`);
  const [, amount, unit] = parts;
  return Number(amount) * (unit === 'h' ? 3600 : unit === 'm' ? 60 : 1);
}
