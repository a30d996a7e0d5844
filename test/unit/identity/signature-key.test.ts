import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeJwk } from '../../../src/phases/identity/jwt/judge-jwk.ts';
import { importSignatureKey, type SignatureKey } from '../../../src/phases/identity/jwt/signature-key.ts';
import { readKeySet } from '../../../src/phases/identity/jwt/key-set.ts';
import { verifyWithKeys } from '../../../src/phases/identity/jwt/verify-signature.ts';
import { ecKey, edKey, encode, rsaKey, tokenOf, type TestKey } from './identity-fixtures.ts';

const rsa = rsaKey('rsa');
const rsaFor = (alg: string): TestKey => ({ ...rsa, alg, jwk: { ...rsa.jwk, alg } });
const quick = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map(rsaFor),
  rsaKey('large', 4096),
  ecKey('p256'),
  edKey('ed'),
];

async function keyOf({ jwk, alg }: Pick<TestKey, 'jwk' | 'alg'>): Promise<SignatureKey> {
  const judged = judgeJwk(JSON.parse(JSON.stringify(jwk)));
  if (judged.kind !== 'usable') throw new Error('the key of a test is not usable');
  return importSignatureKey(judged.jwk.material, alg);
}

describe('a signature that is looked at on the thread of the requests', () => {
  test.each(quick)('of $alg has the same verdict as by jose, however it is changed', async (key) => {
    const signer = await keyOf(key);
    const token = tokenOf(key, { sub: 'alice' });
    const [header = '', payload = '', signature = ''] = token.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    expect(signer.verifyNow?.(token)).toBe(true);
    expect(await signer.verify(token)).toBe(true);
    const changed = fc.oneof(
      fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, by]) => {
        const copy = Buffer.from(bytes);
        copy[at] = (copy[at] ?? 0) ^ by;
        return copy;
      }),
      fc.nat(bytes.length - 1).map((length) => bytes.subarray(0, length)),
      fc.uint8Array({ minLength: 1, maxLength: 80 }).map((more) => Buffer.concat([bytes, more])),
      fc.uint8Array({ minLength: 1, maxLength: 80 }).map((more) => Buffer.concat([more, bytes])),
      fc.uint8Array({ minLength: bytes.length, maxLength: bytes.length }).map((other) => Buffer.from(other)),
      fc.constantFrom(0, 255).map((byte) => Buffer.alloc(bytes.length, byte)),
    );
    await fc.assert(
      fc.asyncProperty(changed, async (other) => {
        const text = `${header}.${payload}.${encode(other)}`;
        expect(await signer.verify(text)).toBe(false);
        expect(signer.verifyNow?.(text)).toBe(false);
      }),
      { numRuns: 200 },
    );
    const others = [
      `${header}.${encode('{"sub":"bob"}')}.${signature}`,
      `${encode(JSON.stringify({ alg: key.alg, kid: 'other' }))}.${payload}.${signature}`,
    ];
    for (const text of others) {
      expect(signer.verifyNow?.(text)).toBe(false);
      expect(await signer.verify(text)).toBe(false);
    }
  });

  test.each([
    ecKey('p384', 'ES384', 'P-384'),
    ecKey('p521', 'ES512', 'P-521'),
    { ...rsaKey('larger', 6144), title: 'RSA of 6144 bits' },
    { ...largeExponent(), title: 'RSA with a large exponent' },
  ])('is none of $alg with $jwk.kid, which takes too long', async (key) => {
    const signer = await keyOf(key);
    expect(signer.verifyNow).toBeUndefined();
    expect(await signer.verify(tokenOf(key, { sub: 'alice' }))).toBe(true);
  });

  test('is one of four at most: with more keys that may have signed, every one is left to another thread', async () => {
    const keys = ['a', 'b', 'c', 'd', 'e'].map((kid) => ecKey(kid));
    const text = tokenOf(keys[0] ?? ecKey('none'), {}, { kid: undefined });
    const verdictOf = async (taken: readonly TestKey[]): ReturnType<typeof ask> => ask(text, taken);
    expect(await verdictOf(keys.slice(0, 4))).toEqual({ isAtOnce: true, isGood: true });
    expect(await verdictOf(keys.slice(1))).toEqual({ isAtOnce: true, isGood: false });
    expect(await verdictOf(keys)).toEqual({ isAtOnce: false, isGood: true });
    expect(await verdictOf([...keys.slice(1), ecKey('f')])).toEqual({ isAtOnce: false, isGood: false });
  });
});

async function ask(text: string, keys: readonly TestKey[]): Promise<{ isAtOnce: boolean; isGood: boolean }> {
  const bytes = Buffer.from(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
  const verdict = verifyWithKeys(
    { text, alg: 'ES256', kid: undefined },
    await readKeySet(bytes, new Set(['ES256']), 10),
  );
  return { isAtOnce: !(verdict instanceof Promise), isGood: 'key' in (await verdict) };
}

function largeExponent(): TestKey {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 0x10_001f });
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'exponent', use: 'sig', alg: 'RS256' };
  return { ...pair, alg: 'RS256', jwk };
}
