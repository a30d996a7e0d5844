import { createHmac } from 'node:crypto';
import { SignJWT, exportJWK, exportSPKI, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import { Failure } from '../core/failure.ts';
import type { TokenSpec } from './policy-test.ts';

interface Issuer {
  readonly alg: string;
  readonly iss: string;
  readonly aud: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly otherKey: CryptoKey;
}

export interface IssuerSpec {
  readonly name: string;
  readonly alg: string;
  readonly iss: string;
  readonly aud: string;
}

/** Throw-away issuers: keys made for one run, and the tokens that a PolicyTest describes. */
export interface TokenMint {
  jwks(issuer: string): Promise<{ readonly keys: readonly JWK[] }>;
  mint(name: string): Promise<string>;
}

export async function createTokenMint(
  specs: readonly IssuerSpec[],
  tokens: Readonly<Record<string, TokenSpec>>,
  nowMs: number,
): Promise<TokenMint> {
  const issuers = new Map<string, Issuer>();
  for (const { name, alg, iss, aud } of specs) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const other = await generateKeyPair(alg, { extractable: true });
    issuers.set(name, { alg, iss, aud, kid: `${name}-1`, privateKey, publicKey, otherKey: other.privateKey });
  }
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
  return {
    jwks: async (name) => {
      const { publicKey, kid, alg } = issuerOf(name);
      return { keys: [{ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }] };
    },
    mint: async (name) => {
      const known = minted.get(name);
      if (known !== undefined) return known;
      const spec = resolve(name);
      const token = sign(issuerOf(spec.issuer), spec, Math.floor(nowMs / 1000));
      minted.set(name, token);
      return token;
    },
  };
}

const timeClaims = new Set(['exp', 'nbf', 'iat', 'auth_time']);

async function sign(issuer: Issuer, spec: TokenSpec, now: number): Promise<string> {
  const defaults = { iss: issuer.iss, aud: issuer.aud, iat: now, exp: now + 300 };
  const claims = Object.fromEntries(
    Object.entries({ ...defaults, ...spec.claims })
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, timeClaims.has(name) && typeof value === 'string' ? now + seconds(value) : value]),
  );
  const header = { alg: issuer.alg, kid: issuer.kid, typ: 'JWT', ...spec.header };
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
