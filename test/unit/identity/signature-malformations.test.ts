import { constants, createHash, generateKeyPairSync, privateEncrypt, sign, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { jwtAlgorithms } from '../../../src/policy/provider-spec.ts';
import { readKeySet, type KeySet } from '../../../src/phases/identity/jwt/key-set.ts';
import { verifyWithKeys } from '../../../src/phases/identity/jwt/verify-signature.ts';
import { edKey, ecKey, encode, rsaKey, type TestKey } from './identity-fixtures.ts';

/** Signatures that lenient implementations take: each beside the good one over the same text. */

const rsa = rsaKey('rsa');
const es256 = ecKey('es256');
const es512 = ecKey('es512', 'ES512', 'P-521');
const ed = edKey('ed');
const { ['alg']: _alg, ...anyRsa } = rsa.jwk;

function inputOf(alg: string): string {
  return `${encode(JSON.stringify({ alg }))}.${encode('{"sub":"alice"}')}`;
}

async function keysOf(...jwks: readonly unknown[]): Promise<KeySet> {
  return readKeySet(Buffer.from(JSON.stringify({ keys: jwks })), new Set(jwtAlgorithms), 100);
}

/** On this thread, and by jose: both give one answer, or this fails. */
async function isTaken(alg: string, jwk: unknown, signature: Uint8Array, input = inputOf(alg)): Promise<boolean> {
  const text = `${input}.${encode(signature)}`;
  const set = await keysOf(jwk);
  const verdict = await verifyWithKeys({ text, alg, kid: undefined }, set);
  const isByJose = await set.keys[0]?.forAlgorithm.get(alg)?.verify(text);
  expect('key' in verdict).toBe(isByJose ?? false);
  return 'key' in verdict;
}

/** The RSA operation over whatever the block is. */
function rawRsa(block: Buffer, { privateKey }: Pick<TestKey, 'privateKey'> = rsa): Buffer {
  return privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, block);
}

const size = 256;
const digest = (alg = 'sha256', text = inputOf('RS256')): Buffer => createHash(alg).update(text).digest();
const prefixes = {
  sha1: '3021300906052b0e03021a05000414',
  sha256: '3031300d060960864801650304020105000420',
  sha512: '3051300d060960864801650304020305000440',
  withoutNull: '302f300b06096086480165030402010420',
  longLength: '308131300d060960864801650304020105000420',
} as const;

function info(prefix: keyof typeof prefixes, hash = 'sha256'): Buffer {
  return Buffer.concat([Buffer.from(prefixes[prefix], 'hex'), digest(hash)]);
}

/** EMSA-PKCS1-v1_5 (RFC 8017 9.2), or something like it. */
function block(
  what: Buffer,
  changes: { first?: number; type?: number; pad?: number; padding?: number; behind?: number } = {},
): Buffer {
  const { first = 0, type = 1, pad = 0xff, behind = 0 } = changes;
  const padding = changes.padding ?? size - 3 - what.length - behind;
  return Buffer.concat([
    Buffer.from([first, type]),
    Buffer.alloc(padding, pad),
    Buffer.from([0]),
    what,
    Buffer.alloc(behind, 0x41),
  ]);
}

describe('RS256: the padding is the one padding (RFC 8017 8.2.2)', () => {
  test.each<[string, () => Buffer]>([
    ['of the digest of SHA-1', () => block(info('sha1', 'sha1'))],
    ['of the digest of SHA-512', () => block(info('sha512', 'sha512'))],
    ['that names SHA-1 over the digest of SHA-256', () => block(info('sha1'))],
    ['without NULL parameters', () => block(info('withoutNull'))],
    ['with a length in its long form', () => block(info('longLength'))],
    ['of the digest alone', () => block(digest())],
    ['of the text alone', () => block(Buffer.from(inputOf('RS256')))],
    ['with garbage behind the digest', () => block(info('sha256'), { padding: 8, behind: size - 3 - 8 - 51 })],
    ['with one octet behind the digest', () => block(info('sha256'), { behind: 1 })],
    ['of type 2', () => block(info('sha256'), { type: 2 })],
    ['of type 0', () => block(info('sha256'), { type: 0, pad: 0 })],
    ['with zeros as the padding', () => block(info('sha256'), { pad: 0 })],
    ['with other octets as the padding', () => block(info('sha256'), { pad: 0xfe })],
    ['of another text', () => block(Buffer.concat([Buffer.from(prefixes.sha256, 'hex'), digest('sha256', 'other')]))],
  ])('%s is refused', async (_name, made) => {
    expect(await isTaken('RS256', anyRsa, rawRsa(made()))).toBe(false);
    expect(await isTaken('RS256', anyRsa, rawRsa(block(info('sha256'))))).toBe(true);
  });

  test('with an exponent of 3, where garbage behind the digest would let anybody sign', async () => {
    const weak = toKey(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }));
    const forged = cubeRoot(block(info('sha256'), { padding: 8, behind: size - 3 - 8 - 51 }));
    expect(await isTaken('RS256', weak.jwk, forged)).toBe(false);
    expect(await isTaken('RS256', weak.jwk, sign('sha256', Buffer.from(inputOf('RS256')), weak.privateKey))).toBe(true);
  });

  test.each<[string, (good: Buffer, n: bigint) => Buffer | undefined]>([
    ['cut', (good) => good.subarray(0, -1)],
    ['with a zero before it', (good) => Buffer.concat([Buffer.from([0]), good])],
    ['with a zero behind it', (good) => Buffer.concat([good, Buffer.from([0])])],
    ['backwards', (good) => reversed(good)],
    ['with the modulus added', (good, n) => toBytes(toInteger(good) + n, size + 1)],
    ['taken from the modulus', (good, n) => toBytes(n - toInteger(good), size)],
    ['zero', () => Buffer.alloc(size)],
    ['one', () => toBytes(1n, size)],
    ['the modulus less one', (_good, n) => toBytes(n - 1n, size)],
    ['the modulus', (_good, n) => toBytes(n, size)],
  ])('a number that is %s is refused', async (_name, change) => {
    const good = sign('sha256', Buffer.from(inputOf('RS256')), rsa.privateKey);
    const n = toInteger(Buffer.from(String(rsa.jwk['n']), 'base64url'));
    expect(await isTaken('RS256', anyRsa, change(good, n) ?? good)).toBe(false);
    expect(await isTaken('RS256', anyRsa, good)).toBe(true);
  });
});

describe('PS256: the salt is as long as the digest, and both hashes are SHA-256 (RFC 7518 3.5)', () => {
  test.each<[string, Partial<PssOptions>]>([
    ['without a salt', { salt: 0 }],
    ['with a salt of 20 octets', { salt: 20 }],
    ['with the longest salt', { salt: size - 34 }],
    ['with MGF1 of SHA-1', { mgf: 'sha1' }],
    ['over the digest of SHA-1', { hash: 'sha1', salt: 20 }],
    ['with another trailer', { trailer: 0xcc }],
    ['with another octet before the salt', { separator: 2 }],
    ['with octets that are not zero before it', { zeros: 1 }],
  ])('%s is refused', async (_name, options) => {
    const text = inputOf('PS256');
    expect(await isTaken('PS256', anyRsa, rawRsa(pss(text, options)))).toBe(false);
    expect(await isTaken('PS256', anyRsa, rawRsa(pss(text, {})))).toBe(true);
  });

  test('a signature of RS256 is none, nor the other way round', async () => {
    const input = inputOf('PS256');
    const v15 = sign('sha256', Buffer.from(input), rsa.privateKey);
    expect(await isTaken('PS256', anyRsa, v15)).toBe(false);
    expect(await isTaken('RS256', anyRsa, rawRsa(pss(inputOf('RS256'), {})))).toBe(false);
    expect(await isTaken('PS256', anyRsa, rawRsa(pss(input, {})))).toBe(true);
  });
});

const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const edOrder = 2n ** 252n + 27742317777372353535851937790883648493n;

describe('ES256: r and s are two numbers of 32 octets between 1 and the order (RFC 7518 3.4)', () => {
  type Change = (r: bigint, s: bigint) => Buffer;
  const pair = (r: bigint, s: bigint, octets = 32): Buffer => Buffer.concat([toBytes(r, octets), toBytes(s, octets)]);
  test.each<[string, Change]>([
    ['r zero', (_r, s) => pair(0n, s)],
    ['s zero', (r) => pair(r, 0n)],
    ['r the order', (_r, s) => pair(p256Order, s)],
    ['s the order', (r) => pair(r, p256Order)],
    ['both one', () => pair(1n, 1n)],
    ['both the order less one', () => pair(p256Order - 1n, p256Order - 1n)],
    ['r taken from the order', (r, s) => pair(p256Order - r, s)],
    ['exchanged', (r, s) => pair(s, r)],
    ['all ones', () => Buffer.alloc(64, 0xff)],
    ['numbers of 33 octets', (r, s) => pair(r, s, 33)],
    ['numbers of 48 octets', (r, s) => pair(r, s, 48)],
    ['an octet less', (r, s) => pair(r, s).subarray(1)],
    ['an octet more', (r, s) => Buffer.concat([pair(r, s), Buffer.alloc(1)])],
    ['r alone', (r) => toBytes(r, 32)],
    ['DER', (r, s) => der(r, s)],
  ])('%s is refused', async (_name, change) => {
    const good = ecdsa(es256, 'sha256', inputOf('ES256'));
    const [r, s] = [toInteger(good.subarray(0, 32)), toInteger(good.subarray(32))];
    expect(await isTaken('ES256', es256.jwk, change(r, s))).toBe(false);
    expect(await isTaken('ES256', es256.jwk, pair(r, s))).toBe(true);
    // Malleable by nature: both are of the holder of the key, and nothing remembers tokens by their signatures.
    expect(await isTaken('ES256', es256.jwk, pair(r, p256Order - s))).toBe(true);
  });

  test('another hash, or another curve, is refused', async () => {
    const input = inputOf('ES256');
    const p384 = ecKey('p384', 'ES384', 'P-384');
    expect(await isTaken('ES256', es256.jwk, ecdsa(es256, 'sha384', input))).toBe(false);
    expect(await isTaken('ES256', es256.jwk, ecdsa(p384, 'sha256', input))).toBe(false);
    expect(await isTaken('ES256', es256.jwk, ecdsa(es256, 'sha256', input))).toBe(true);
  });

  test('ES512: 132 octets, though 521 bits do not need them', async () => {
    const good = ecdsa(es512, 'sha512', inputOf('ES512'));
    const short = Buffer.concat([good.subarray(1, 66), good.subarray(67)]);
    expect(await isTaken('ES512', es512.jwk, short)).toBe(false);
    expect(await isTaken('ES512', es512.jwk, good)).toBe(true);
  });
});

describe('EdDSA: one signature of one text (RFC 8032 5.1.7)', () => {
  test.each<[string, (good: Buffer) => Buffer]>([
    ['s with the order added', (good) => withS(good, (s) => s + edOrder)],
    ['s with eight times the order added', (good) => withS(good, (s) => s + 8n * edOrder)],
    ['s zero', (good) => withS(good, () => 0n)],
    ['s the order', (good) => withS(good, () => edOrder)],
    ['s taken from the order', (good) => withS(good, (s) => edOrder - s)],
    ['all zero', () => Buffer.alloc(64)],
    ['all ones', () => Buffer.alloc(64, 0xff)],
    ['R turned round', (good) => flip(good, 31, 0x80)],
    ['R the neutral point', (good) => Buffer.concat([reversed(toBytes(1n, 32)), good.subarray(32)])],
    ['R no point', (good) => Buffer.concat([Buffer.alloc(32, 0xfe), good.subarray(32)])],
    ['an octet less', (good) => good.subarray(0, 63)],
    ['an octet more', (good) => Buffer.concat([good, Buffer.alloc(1)])],
    ['halves exchanged', (good) => Buffer.concat([good.subarray(32), good.subarray(0, 32)])],
    [
      'of the digest of the text',
      () => sign(null, createHash('sha512').update(inputOf('EdDSA')).digest(), ed.privateKey),
    ],
  ])('%s is refused', async (_name, change) => {
    const good = sign(null, Buffer.from(inputOf('EdDSA')), ed.privateKey);
    expect(await isTaken('EdDSA', ed.jwk, change(good))).toBe(false);
    expect(await isTaken('EdDSA', ed.jwk, good)).toBe(true);
  });
});

describe('a key with which anybody could sign, or that is none', () => {
  const prime = 2n ** 255n - 19n;
  const eighth = [
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  ].map((hex) => toInteger(reversed(Buffer.from(hex, 'hex'))));
  /** As keys write them: y, little-endian, with either sign of x, and in the spellings that are not canonical. */
  const small = [0n, 1n, prime - 1n, prime, prime + 1n, ...eighth]
    .flatMap((y) => [y, y + 2n ** 255n])
    .map((y) => reversed(toBytes(y, 32)).toString('hex'));

  test.each(small)(
    'Ed25519 of small order, where one signature would be good for every eighth text: %s',
    async (hex) => {
      const jwk = { kty: 'OKP', crv: 'Ed25519', x: encode(Buffer.from(hex, 'hex')) };
      const set = await keysOf(jwk, { ...ed.jwk, kid: 'good' });
      for (const r of small) {
        const signature = encode(Buffer.concat([Buffer.from(r, 'hex'), Buffer.alloc(32)]));
        for (let i = 0; i < 16; i++) {
          const text = `${encode('{"alg":"EdDSA"}')}.${encode(String(i))}.${signature}`;
          expect(await verifyWithKeys({ text, alg: 'EdDSA', kid: undefined }, set)).toHaveProperty('denial');
        }
      }
      const good = sign(null, Buffer.from(inputOf('EdDSA')), ed.privateKey);
      const text = `${inputOf('EdDSA')}.${encode(good)}`;
      expect(await verifyWithKeys({ text, alg: 'EdDSA', kid: 'good' }, set)).toHaveProperty('key');
    },
  );

  test.each<[string, Record<string, unknown>]>([
    ['P-256 at infinity', { ...es256.jwk, x: encode(Buffer.alloc(32)), y: encode(Buffer.alloc(32)) }],
    [
      'P-256 with a coordinate of 33 octets',
      { ...es256.jwk, x: encode(Buffer.concat([Buffer.alloc(1), bytesOf(es256, 'x')])) },
    ],
    ['P-256 with a coordinate of 31 octets', { ...es256.jwk, x: encode(bytesOf(es256, 'x').subarray(1)) }],
    ['P-256 beyond its field', { ...es256.jwk, x: encode(Buffer.alloc(32, 0xff)) }],
    ['P-256 with x and y exchanged', { ...es256.jwk, x: es256.jwk['y'], y: es256.jwk['x'] }],
    ['the point of P-256 as P-384', { ...es256.jwk, crv: 'P-384', alg: 'ES384' }],
    ['Ed25519 as EC', { ...ed.jwk, kty: 'EC' }],
    ['an RSA modulus that is even', { ...anyRsa, n: encode(flip(bytesOf(rsa, 'n'), 255, 1)) }],
    ['an RSA exponent of zero', { ...anyRsa, e: encode(Buffer.alloc(1)) }],
    ['an RSA exponent as long as the modulus', { ...anyRsa, e: encode(bytesOf(rsa, 'n')) }],
  ])('%s', async (_name, jwk) => {
    const { keys, leftOut } = await keysOf(jwk, { ...ed.jwk, kid: 'good' });
    expect([keys.map(({ kid }) => kid), leftOut.length]).toEqual([['good'], 1]);
  });
});

interface PssOptions {
  readonly salt: number;
  readonly hash: 'sha1' | 'sha256';
  readonly mgf: 'sha1' | 'sha256';
  readonly trailer: number;
  readonly separator: number;
  readonly zeros: number;
}

/** EMSA-PSS (RFC 8017 9.1.1), or something like it. */
function pss(text: string, options: Partial<PssOptions>): Buffer {
  const { salt: saltLength = 32, hash = 'sha256', mgf = 'sha256', trailer = 0xbc, separator = 1, zeros = 0 } = options;
  const salt = Buffer.alloc(saltLength, 7);
  const h = createHash(hash)
    .update(Buffer.concat([Buffer.alloc(8), digest(hash, text), salt]))
    .digest();
  const length = size - h.length - 1;
  const db = Buffer.concat([Buffer.alloc(length - saltLength - 1, zeros), Buffer.from([separator]), salt]);
  const masked = db.map((byte, at) => byte ^ (mask(h, length, mgf)[at] ?? 0));
  masked[0] = (masked[0] ?? 0) & 0x7f;
  return Buffer.concat([masked, h, Buffer.from([trailer])]);
}

function mask(seed: Buffer, length: number, hash: string): Buffer {
  const parts = Array.from({ length: Math.ceil(length / 20) }, (_, i) =>
    createHash(hash)
      .update(Buffer.concat([seed, toBytes(BigInt(i), 4)]))
      .digest(),
  );
  return Buffer.concat(parts).subarray(0, length);
}

function ecdsa({ privateKey }: TestKey, hash: string, text: string): Buffer {
  return sign(hash, Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
}

function toKey(pair: { publicKey: KeyObject; privateKey: KeyObject }): Pick<TestKey, 'privateKey' | 'jwk'> {
  return { privateKey: pair.privateKey, jwk: { ...pair.publicKey.export({ format: 'jwk' }) } };
}

function bytesOf({ jwk }: Pick<TestKey, 'jwk'>, member: string): Buffer {
  return Buffer.from(String(jwk[member]), 'base64url');
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function toBytes(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex');
}

function reversed(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.toReversed());
}

/** The largest number whose cube is not above the block with its end filled up: what forges where only the beginning is looked at. */
function cubeRoot(made: Buffer): Buffer {
  const wanted = toInteger(made);
  let [low, high] = [0n, 1n << 700n];
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (middle ** 3n <= wanted) low = middle;
    else high = middle - 1n;
  }
  return toBytes(low, size);
}

/** With the number behind R, which is little-endian, changed. */
function withS(good: Buffer, change: (s: bigint) => bigint): Buffer {
  const s = toInteger(reversed(good.subarray(32)));
  return Buffer.concat([good.subarray(0, 32), reversed(toBytes(change(s), 32))]);
}

function flip(bytes: Buffer, at: number, bits: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ bits;
  return changed;
}

function der(r: bigint, s: bigint): Buffer {
  const integer = (value: bigint): Buffer => Buffer.concat([Buffer.from([2, 33, 0]), toBytes(value, 32)]);
  const body = Buffer.concat([integer(r), integer(s)]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}
