import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import { readKeySet } from '../../../src/phases/identity/jwt/key-set.ts';
import { peekToken, splitToken } from '../../../src/phases/identity/jwt/parse-token.ts';
import {
  createWorld,
  ecKey,
  encode,
  goodClaims,
  hmacToken,
  rsaKey,
  signText,
  tokenOf,
  verdictOf,
  credentialOf,
} from './identity-fixtures.ts';

const key = ecKey('k1');
let provider: MessageProvider;
beforeAll(async () => {
  provider = createWorld([key]).provider();
  await provider.firstLoad;
});
afterAll(() => provider.close());

test('whatever the text, a token is refused and nothing is thrown', async () => {
  const part = fc.oneof(fc.string(), fc.base64String(), fc.json().map(encode), fc.string({ unit: 'binary' }));
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
  );
  await fc.assert(
    fc.asyncProperty(text, async (token) => {
      expect(() => splitToken(token, 100)).not.toThrow();
      expect(() => peekToken(token, 100)).not.toThrow();
      expect(verdictOf(await provider.verify(credentialOf(token)))).not.toBe('allow');
    }),
    { numRuns: 300 },
  );
});

test('one changed character of a good token is a bad token', async () => {
  const good = tokenOf(key);
  expect(verdictOf(await provider.verify(credentialOf(good)))).toBe('allow');
  await fc.assert(
    fc.asyncProperty(
      fc.nat(good.length - 1),
      fc.string({ unit: 'binary-ascii', minLength: 0, maxLength: 2 }),
      async (at, put) => {
        const changed = good.slice(0, at) + put + good.slice(at + 1);
        fc.pre(changed !== good);
        expect(verdictOf(await provider.verify(credentialOf(changed)))).not.toBe('allow');
      },
    ),
    { numRuns: 200 },
  );
});

test('signed claims of any kind end in a verdict, and allow only with the issuer, the audience and a future end', async () => {
  const name = fc.constantFrom('iss', 'aud', 'exp', 'nbf', 'iat', 'sub', 'cnf', 'scope', 'client_id', '__proto__');
  const changes = fc.dictionary(name, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 });
  await fc.assert(
    fc.asyncProperty(changes, async (changed) => {
      const claims = { ...goodClaims(), ...changed };
      const verdict = verdictOf(
        await provider.verify(
          credentialOf(signText(JSON.stringify({ alg: 'ES256', kid: 'k1' }), JSON.stringify(claims), key)),
        ),
      );
      expect(verdict).not.toBe('internal_error');
      if (verdict !== 'allow') return;
      expect(claims).toMatchObject({ iss: goodClaims()['iss'], exp: expect.any(Number) });
      expect([claims['aud']].flat()).toContain(goodClaims()['aud']);
      expect(Object.hasOwn(claims, 'cnf')).toBe(false);
    }),
    { numRuns: 200 },
  );
});

test('whatever a JWKS holds, reading it gives keys or a Failure', async () => {
  const member = fc.constantFrom('kty', 'kid', 'alg', 'use', 'key_ops', 'n', 'e', 'x', 'y', 'crv', 'd', 'k');
  const value = fc.oneof(
    fc.constantFrom(
      'RSA',
      'EC',
      'OKP',
      'oct',
      'sig',
      'P-256',
      'Ed25519',
      'AQAB',
      'ES256',
      encode(Buffer.alloc(256, 0xff)),
      encode(Buffer.alloc(32, 3)),
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const jwk = fc.oneof(fc.dictionary(member, value), fc.jsonValue());
  const document = fc.oneof(
    fc.array(jwk, { maxLength: 5 }).map((keys) => JSON.stringify({ keys: [...keys, key.jwk] })),
    fc.json(),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(document, async (text) => {
      try {
        const set = await readKeySet(Buffer.from(text), new Set(['ES256', 'RS256']), 100);
        expect(set.keys.length).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
        expect(text.includes(JSON.stringify(key.jwk))).toBe(false);
      }
    }),
    { numRuns: 300 },
  );
});

test('whatever was changed in a JWKS, nobody else is let in by it', async () => {
  const jwks = JSON.stringify({ keys: [key.jwk, ecKey('k2').jwk] });
  const strangers = [ecKey('k1'), rsaKey('k1')];
  const guesses = [
    ...strangers.map((stranger) => tokenOf(stranger)),
    ...strangers.map((stranger) => tokenOf(stranger, {}, { kid: undefined })),
    hmacToken({ alg: 'HS256', kid: 'k1' }, goodClaims(), jwks),
  ];
  await fc.assert(
    fc.asyncProperty(fc.nat(jwks.length - 1), fc.string({ maxLength: 3 }), fc.nat(3), async (at, put, taken) => {
      const json = jwks.slice(0, at) + put + jwks.slice(at + taken);
      const world = createWorld([]);
      const changed = world.provider({ keys: { type: 'Inline', json } });
      await changed.firstLoad;
      const verdicts = await Promise.all(
        guesses.map(async (token) => verdictOf(await changed.verify(credentialOf(token)))),
      );
      expect(verdicts).not.toContain('allow');
      expect(['allow', 'keys_unavailable', 'token_key', 'token_signature']).toContain(
        verdictOf(await changed.verify(credentialOf(tokenOf(key)))),
      );
      changed.close();
    }),
    { numRuns: 150 },
  );
});
