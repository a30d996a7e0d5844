import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import { parseProof } from '../../../src/phases/identity/dpop/parse-proof.ts';
import { isTargetOf } from '../../../src/phases/identity/dpop/target-uri.ts';
import { boundToken, judge, proofOf, publicJwk, withProof } from './dpop-fixtures.ts';
import {
  createWorld,
  ecKey,
  encode,
  requestOf,
  rsaKey,
  signText,
  startSeconds,
  verdictOf,
} from './identity-fixtures.ts';

const issuerKey = rsaKey('k1');
const holder = ecKey('client');
let provider: MessageProvider;
let token: string;
beforeAll(async () => {
  provider = createWorld([issuerKey]).provider();
  await provider.firstLoad;
  token = await boundToken(issuerKey, holder);
});
afterAll(() => provider.close());
/** The control: what is refused is refused for what was changed. */
beforeEach(async () => expect(await verdict(proofOf(holder, token))).toBe('allow'));

const verdict = async (proof: string): Promise<string> => verdictOf(await judge(provider, withProof(token, proof)));

test('whatever the text, a proof is refused and nothing is thrown', async () => {
  const part = fc.oneof(fc.string(), fc.base64String(), fc.json().map(encode), fc.string({ unit: 'binary' }));
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
  );
  await fc.assert(
    fc.asyncProperty(text, async (proof) => {
      expect(() => parseProof(proof)).not.toThrow();
      expect(await verdict(proof)).toBe('dpop_proof');
    }),
    { numRuns: 500 },
  );
});

test('one changed character of a good proof is a bad proof', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.string({ unit: 'binary-ascii', minLength: 0, maxLength: 2 }),
      async (position, put) => {
        const good = proofOf(holder, token);
        const at = position % good.length;
        const changed = good.slice(0, at) + put + good.slice(at + 1);
        fc.pre(changed !== good);
        expect(await verdict(changed)).not.toBe('allow');
      },
    ),
    { numRuns: 300 },
  );
});

test('signed members of any kind end in a verdict, and allow only where nothing that counts was changed', async () => {
  const name = fc.constantFrom('jti', 'htm', 'htu', 'iat', 'ath', 'nonce', 'exp', 'nbf', '__proto__');
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom('GET', startSeconds, 'https://shop.example/orders'));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 3 }), async (changes) => {
      const proof = proofOf(holder, token, { claims: Object.fromEntries(changes) });
      const parsed = parseProof(proof);
      const allowed = (await verdict(proof)) === 'allow';
      if (!allowed) return;
      if (!('proof' in parsed)) throw new Error('it was allowed and cannot be read');
      const { htm, htu, iat } = parsed.proof;
      expect([htm, isTargetOf(htu, requestOf({})), Math.abs(iat - startSeconds) <= 300]).toEqual(['GET', true, true]);
    }),
    { numRuns: 300 },
  );
});

test('a header of any kind never makes another key of the proof', async () => {
  const jwk = fc.oneof(
    fc.jsonValue(),
    fc.record({
      kty: fc.constantFrom('EC', 'RSA', 'OKP', 'oct'),
      crv: fc.string(),
      x: fc.base64String(),
      y: fc.jsonValue(),
    }),
    fc
      .dictionary(fc.constantFrom('kid', 'use', 'alg', 'key_ops', 'd', 'x', 'y', 'crv'), fc.jsonValue())
      .map((more) => ({
        ...publicJwk(holder),
        ...more,
      })),
  );
  const stranger = ecKey('stranger');
  await fc.assert(
    fc.asyncProperty(jwk, async (written) => {
      const header = JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk: written });
      expect(await verdict(signText(header, '{}', stranger))).not.toBe('allow');
      expect(await verdict(proofOf(stranger, token, { header: { jwk: written } }))).not.toBe('allow');
    }),
    { numRuns: 200 },
  );
});

test('a target of any form ends in yes or no, and yes means the same host', () => {
  fc.assert(
    fc.property(fc.oneof(fc.webUrl({ withFragments: true, withQueryParameters: true }), fc.string()), (htu) => {
      const request = requestOf({});
      if (isTargetOf(htu, request)) expect(new URL(htu).hostname).toBe('shop.example');
    }),
    { numRuns: 500 },
  );
});
