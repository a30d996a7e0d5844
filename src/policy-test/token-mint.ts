import { createHmac } from 'node:crypto';
import { SignJWT, exportJWK, exportSPKI, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import { Failure } from '../core/failure.ts';
import type { JsonObject } from '../core/json.ts';
import type { TokenSpec } from './policy-test.ts';

type Issuer = SigningIssuer | OpaqueIssuer;

interface SigningIssuer {
  readonly spec: Exclude<IssuerSpec, { form: 'opaque' }>;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly otherKey: CryptoKey;
}

interface OpaqueIssuer {
  readonly spec: Extract<IssuerSpec, { form: 'opaque' }>;
}

/**
 * Tokens that are signed, those among them that the API server is asked about (`reviewed`), and such that say nothing to anybody but who gave
 * them out (`opaque`). `iss` undefined: tokens say none where the test gives none.
 */
export type IssuerSpec = {
  readonly name: string;
  readonly iss: string | undefined;
  readonly aud: string;
} & ({ readonly form: 'signed' | 'reviewed'; readonly alg: string } | { readonly form: 'opaque' });

/** Throw-away issuers: keys made for one run, and the tokens that a PolicyTest describes. */
export interface TokenMint {
  jwks(issuer: string): Promise<{ readonly keys: readonly JWK[] }>;
  mint(name: string): Promise<string>;
  /** What the issuer says when it is asked about a token: its claims; undefined where it gave out no such token (yet), or somebody else made it. */
  vouch(issuer: string, token: string): JsonObject | undefined;
}

/** Throws a Failure: `token_unknown`, `issuer_unknown`, `time_malformed`, and `token_has_no_header` for one that says nothing of itself. */
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
    const token = isSigning(issuer) ? await sign(issuer, spec, claims) : nameOpaquely(name, spec);
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
  return issuer.spec.form !== 'opaque';
}

async function createIssuer(spec: IssuerSpec): Promise<Issuer> {
  if (spec.form === 'opaque') return { spec };
  const { privateKey, publicKey } = await generateKeyPair(spec.alg, { extractable: true });
  const other = await generateKeyPair(spec.alg, { extractable: true });
  return { spec, kid: `${spec.name}-1`, privateKey, publicKey, otherKey: other.privateKey };
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
  const defaults = { ...(iss === undefined ? {} : { iss }), aud, iat: now, exp: now + 300 };
  return Object.fromEntries(
    Object.entries({ ...defaults, ...claims })
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, timeClaims.has(name) && typeof value === 'string' ? now + seconds(value) : value]),
  );
}

async function sign(issuer: SigningIssuer, spec: TokenSpec, claims: JsonObject): Promise<string> {
  const header = { alg: issuer.spec.alg, kid: issuer.kid, typ: 'JWT', ...spec.header };
  if (spec.sign === 'None') return `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`;
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
