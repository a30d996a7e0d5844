import { afterEach, describe, expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import type { MessageProvider, VerifyResult } from '../../../src/phases/identity/identity-provider.ts';
import { createJwtProvider } from '../../../src/phases/identity/jwt/jwt-provider.ts';
import { createTokenCache } from '../../../src/phases/identity/jwt/token-cache.ts';
import type { JwtProviderSpec } from '../../../src/policy/provider-spec.ts';
import {
  audience,
  createWorld,
  goodClaims,
  issuer,
  jwtSpec,
  rsaKey,
  startSeconds,
  tokenOf,
  verdictOf,
  type World,
  credentialOf,
} from './identity-fixtures.ts';

const key = rsaKey('k1');

let provider: MessageProvider | undefined;
afterEach(() => provider?.close());

async function started(
  changes: Partial<JwtProviderSpec> = {},
): Promise<World & { verify: (token: string) => VerifyResult | Promise<VerifyResult> }> {
  const world = createWorld([key]);
  const one = world.provider(changes);
  provider = one;
  await one.firstLoad;
  return { ...world, verify: (token) => one.verify(credentialOf(token)) };
}

function atOnce(result: VerifyResult | Promise<VerifyResult>): VerifyResult {
  if (result instanceof Promise) throw new Error('the answer is not there at once');
  return result;
}

describe('the identity of a token', () => {
  test('holds what the claims say', async () => {
    const { verify } = await started({
      claims: { subject: 'sub', scopes: ['scope', 'scp'], roles: ['roles', '/realm_access/roles', 'groups'] },
    });
    const claims = {
      scope: 'read  write',
      scp: ['admin', 'two words', 'read'],
      roles: ['a', 'b'],
      realm_access: { roles: ['c'] },
      groups: 'one group',
      client_id: 'web',
      azp: 'other',
    };
    expect(await verify(tokenOf(key, claims))).toEqual({
      identity: {
        authenticated: true,
        subject: 'alice',
        issuer,
        provider: 'okta',
        clientId: 'web',
        scopes: ['read', 'write', 'admin', 'two words'],
        roles: ['a', 'b', 'c', 'one group'],
        claims: JSON.parse(JSON.stringify(goodClaims(claims))),
        expiresAt: startSeconds + 600,
      },
    });
  });

  test('S21: claims of other types give nothing: a comma list, numbers, an array with a number among its strings', async () => {
    const { verify } = await started({
      claims: { subject: 'sub', scopes: ['scope', 'scp'], roles: ['roles', 'groups'] },
    });
    const result = await verify(
      tokenOf(key, { scope: 'read,write', scp: 7, roles: ['admin', 1], groups: { admin: true }, azp: 'spa' }),
    );
    expect(result).toMatchObject({ identity: { scopes: ['read,write'], roles: [], clientId: 'spa' } });
  });

  test('a subject claim that the author names must be there, sub need not', async () => {
    const { verify } = await started({ claims: { subject: '/user/id', scopes: [], roles: [] } });
    expect(await verify(tokenOf(key, { user: { id: 'u-1' } }))).toMatchObject({ identity: { subject: 'u-1' } });
    expect(verdictOf(await verify(tokenOf(key)))).toBe('token_claim');
    expect(verdictOf(await verify(tokenOf(key, { user: { id: 7 } })))).toBe('token_claim');
    provider?.close();
    const plain = await started();
    expect(await plain.verify(tokenOf(key, { sub: undefined }))).toMatchObject({
      identity: { subject: '' },
    });
  });
});

describe('what a provider may ask for', () => {
  test('required claims, by name and by pointer; null is missing', async () => {
    const { verify } = await started({ requiredClaims: ['tenant', '/org/id'] });
    expect(verdictOf(await verify(tokenOf(key, { tenant: 't', org: { id: 1 } })))).toBe('allow');
    expect(await verify(tokenOf(key, { tenant: 't', org: {} }))).toEqual({
      denial: { code: 'token_claim', message: 'The claim /org/id is missing.', challenges: [] },
    });
    expect(verdictOf(await verify(tokenOf(key, { tenant: null, org: { id: 1 } })))).toBe('token_claim');
    expect(verdictOf(await verify(tokenOf(key, { 'org/id': 1, '/org/id': 1, tenant: 't' })))).toBe('token_claim');
  });

  test('a bounded life-time, which a token without iat does not have', async () => {
    const { verify } = await started({ maxLifetime: 3600 });
    const iat = startSeconds - 10;
    expect(verdictOf(await verify(tokenOf(key, { iat, exp: iat + 3600 })))).toBe('allow');
    expect(verdictOf(await verify(tokenOf(key, { iat, exp: iat + 3601 })))).toBe('token_lifetime');
    expect(verdictOf(await verify(tokenOf(key, { iat: undefined })))).toBe('token_claim');
  });

  test('its own clock skew', async () => {
    const { verify } = await started({ clockSkew: 0 });
    expect(verdictOf(await verify(tokenOf(key, { exp: startSeconds })))).toBe('token_expired');
    expect(verdictOf(await verify(tokenOf(key, { exp: startSeconds + 1 })))).toBe('allow');
  });
});

describe('the cache of verified tokens', () => {
  test('answers at once the second time, with the same identity', async () => {
    const { verify, events } = await started();
    const token = tokenOf(key);
    const firstAnswer = await verify(token);
    events.length = 0;
    expect(atOnce(verify(token))).toEqual(firstAnswer);
    expect(events).toEqual(['hit']);
  });

  test('ends with exp and the skew, and knows nbf again when the clock is set back', async () => {
    const { verify, time, ports } = await started();
    const token = tokenOf(key, { nbf: startSeconds - 5, iat: undefined });
    await verify(token);
    time.setWall(startSeconds - 36);
    expect(verdictOf(atOnce(verify(token)))).toBe('token_not_yet_valid');
    time.setWall(startSeconds);
    await verify(token);
    time.setWall(startSeconds + 629);
    expect(verdictOf(atOnce(verify(token)))).toBe('allow');
    time.setWall(startSeconds + 630);
    expect(verdictOf(atOnce(verify(token)))).toBe('token_expired');
    expect(ports.tokens.entries).toBe(0);
    expect(verdictOf(atOnce(verify(token)))).toBe('token_expired');
  });

  test('is keyed by the whole token and by the provider with its generation', async () => {
    const { verify, ports } = await started();
    const token = tokenOf(key);
    await verify(token);
    expect(verdictOf(await verify(`${token}A`))).not.toBe('allow');
    expect(verdictOf(await verify(token.slice(0, -8)))).not.toBe('allow');
    const stricter = createJwtProvider(
      jwtSpec({ audiences: ['api://other'] }),
      { keysText: undefined, ca: undefined },
      ports,
    );
    await stricter.firstLoad;
    expect(verdictOf(await stricter.verify(credentialOf(token)))).toBe('token_audience');
    expect(verdictOf(atOnce(verify(token)))).toBe('allow');
    stricter.close();
  });

  test('never holds a token that was refused', async () => {
    const { verify, ports } = await started();
    for (const bad of [tokenOf(rsaKey('k1')), tokenOf(key, { aud: 'x' }), tokenOf(key, { cnf: {} }), 'x'])
      await verify(bad);
    expect(ports.tokens.entries).toBe(0);
    await verify(tokenOf(key));
    expect(ports.tokens.entries).toBe(1);
  });

  test('gives its place back when the provider closes', async () => {
    const { verify, ports } = await started();
    await verify(tokenOf(key));
    provider?.close();
    expect(ports.tokens.entries).toBe(0);
  });

  test('is bounded by entries and by bytes over all providers', () => {
    const cache = createTokenCache({ maxEntries: 3, maxBytes: 5_000 });
    const parts = [cache.forProvider(), cache.forProvider()];
    const verified = { identity: { ...jwtSpec() } as never, keyFingerprint: 'k', expiresAt: 1, notBefore: undefined };
    for (let i = 0; i < 5; i++) for (const part of parts) part.set(`token-${i}`, verified);
    expect(cache.entries).toBe(3);
    parts[0]?.set('x'.repeat(900), verified);
    expect(cache.bytes).toBeLessThanOrEqual(5_000);
    parts[0]?.set('x'.repeat(9_000), verified);
    expect(parts[0]?.get('x'.repeat(9_000))).toBeUndefined();
  });
});

describe('a provider that fails inside', () => {
  test('denies with internal_error, and writes neither token nor claim', async () => {
    const world = createWorld([key]);
    const broken = createJwtProvider(
      jwtSpec(),
      { keysText: undefined, ca: undefined },
      {
        ...world.ports,
        clock: {
          ...world.ports.clock,
          now: () => {
            throw new Failure('clock', 'no time');
          },
        },
      },
    );
    await broken.firstLoad;
    const token = tokenOf(key);
    expect(verdictOf(await broken.verify(credentialOf(token)))).toBe('internal_error');
    expect(world.log.lines).toEqual([
      {
        level: 'error',
        fields: { provider: 'IdentityProvider shop/okta', error: 'clock', reason: 'no time' },
        message: 'a token could not be judged',
      },
    ]);
    broken.close();
  });
});

test('no message of a denial holds a part of the token, and no status one of a key', async () => {
  const canary = 'canary-7f3a';
  const { verify, log } = await started();
  const bad = [
    tokenOf(key, { sub: canary, aud: canary }),
    tokenOf(key, { iss: canary }),
    tokenOf(key, { [canary]: 1, exp: canary }),
    tokenOf(key, {}, { kid: canary }),
    tokenOf(key, {}, { alg: canary }),
    tokenOf(key, {}, { typ: canary }),
    `${canary}.${canary}.${canary}`,
    canary,
  ];
  const denials = await Promise.all(bad.map(async (token) => verify(token)));
  expect(denials.map(verdictOf)).not.toContain('allow');
  expect(JSON.stringify([denials, log.lines, provider?.status()])).not.toContain(canary);
  expect(JSON.stringify(await verify(tokenOf(key, { sub: canary })))).toContain(canary);
  expect(audience).toBe('api://orders');
});
