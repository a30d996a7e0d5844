import { createHmac } from 'node:crypto';
import { SignJWT, exportJWK, exportSPKI, generateKeyPair, type CryptoKey, type JWK } from 'jose';
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
    if (spec === undefined) throw new Error(`there is no token named ${name}`);
    if (spec.extends === undefined) return spec;
    const base = resolve(spec.extends);
    return { ...base, ...spec, claims: { ...base.claims, ...spec.claims }, header: { ...base.header, ...spec.header } };
  };
  const issuerOf = (name: string | undefined): Issuer => {
    const issuer = name === undefined ? undefined : issuers.get(name);
    if (issuer === undefined) throw new Error(`there is no issuer named ${name}`);
    return issuer;
  };
  return {
    jwks: async (name) => {
      const { publicKey, kid, alg } = issuerOf(name);
      return { keys: [{ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }] };
    },
    mint: async (name) => {
      const spec = resolve(name);
      return sign(issuerOf(spec.issuer), spec, Math.floor(nowMs / 1000));
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
  switch (spec.sign) {
    case 'None':
      return `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`;
    case 'HmacWithPublicKey': {
      const text = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
      return `${text}.${createHmac('sha256', await exportSPKI(issuer.publicKey))
        .update(text)
        .digest('base64url')}`;
    }
    case 'OtherKey':
      return new SignJWT(claims).setProtectedHeader(header).sign(issuer.otherKey);
    case undefined:
    default:
      return new SignJWT(claims).setProtectedHeader(header).sign(issuer.privateKey);
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** `-60s`, `+5m`, `1h`. */
function seconds(text: string): number {
  const parts = /^([+-]?\d+)(s|m|h)$/.exec(text);
  if (parts === null) throw new Error(`not a relative time: ${text}`);
  return Number(parts[1]) * { s: 1, m: 60, h: 3600 }[parts[2] as 's' | 'm' | 'h'];
}
