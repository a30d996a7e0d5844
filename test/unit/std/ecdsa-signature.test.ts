import { generateKeyPairSync, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { derSignature } from '../../../src/std/ecdsa-signature.ts';

const data = Buffer.from('some text');

describe.each([
  ['P-256', 32],
  ['P-384', 48],
] as const)('%s', (namedCurve, bytes) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  const good = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const byNode = (signature: Uint8Array): boolean =>
    verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
  const byUs = (signature: Uint8Array): boolean => {
    const der = derSignature(signature, bytes);
    return der !== undefined && verify('sha256', data, publicKey, der);
  };

  test('a good signature is good in both forms, and one with a bit changed in neither', () => {
    for (let i = 0; i < 50; i++) {
      const signature = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      expect([byNode(signature), byUs(signature)]).toEqual([true, true]);
      signature[i % signature.length] = (signature[i % signature.length] ?? 0) ^ 1;
      expect([byNode(signature), byUs(signature)]).toEqual([false, false]);
    }
  });

  test('numbers with leading zeros, high bits, zero and the order of the curve are judged as Node judges them', () => {
    const octets = fc.oneof(
      fc.uint8Array({ minLength: bytes, maxLength: bytes }),
      fc.nat({ max: bytes }).map((zeros) => Uint8Array.from({ length: bytes }, (_x, i) => (i < zeros ? 0 : 0xff))),
      fc.nat({ max: bytes }).map((zeros) => Uint8Array.from({ length: bytes }, (_x, i) => (i < zeros ? 0 : 0x7f))),
      fc.constant(good.subarray(0, bytes)),
      fc.constant(good.subarray(bytes)),
    );
    fc.assert(
      fc.property(octets, octets, (r, s) => {
        const signature = Buffer.concat([r, s]);
        expect(byUs(signature)).toBe(byNode(signature));
      }),
      { numRuns: 300 },
    );
  });

  test('is what OpenSSL writes', () => {
    for (let i = 0; i < 100; i++) {
      const der = sign('sha256', data, privateKey);
      expect(Buffer.from(derSignature(toJws(der, bytes), bytes) ?? []).equals(der)).toBe(true);
    }
  });

  test.each([0, 1, 2 * bytes - 1, 2 * bytes + 1, 4 * bytes])('%d octets are none', (length) => {
    expect(derSignature(new Uint8Array(length), bytes)).toBeUndefined();
    expect(byNode(new Uint8Array(length))).toBe(false);
  });
});

test('numbers whose lengths would take more than an octet are refused', () => {
  expect(derSignature(new Uint8Array(132), 66)).toBeUndefined();
});

/** The two numbers of a signature in DER, both of so many octets. */
function toJws(der: Uint8Array, bytes: number): Buffer {
  const rLength = der[3] ?? 0;
  const r = der.subarray(4, 4 + rLength);
  const s = der.subarray(6 + rLength);
  const fixed = (number: Uint8Array): Buffer => {
    const octets = Buffer.from(number.length > bytes ? number.subarray(1) : number);
    return Buffer.concat([Buffer.alloc(bytes - octets.length), octets]);
  };
  return Buffer.concat([fixed(r), fixed(s)]);
}
