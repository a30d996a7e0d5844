import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase64url } from '../../../src/std/base64url.ts';

test('what Node writes is read back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
      expect(Buffer.from(decodeBase64url(Buffer.from(bytes).toString('base64url')) ?? [])).toEqual(Buffer.from(bytes));
    }),
  );
});

test.each([
  [''],
  ['A'],
  ['AAAAA'],
  ['AA=='],
  ['AA='],
  ['A A'],
  ['AA\n'],
  ['A+A'],
  ['A/A'],
  ['AB'],
  ['AAB'],
  ['é'],
  ['AA\0'],
])('%j is none', (text) => {
  expect(decodeBase64url(text)).toBeUndefined();
});

test('any other text is what its alphabet, its length and its unused bits say', () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'ABab09-_'.split('')), maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'ABQgw09-_+/= .\n\0é\u2014'.split('')), maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 12 }),
  );
  fc.assert(
    fc.property(text, (one) => {
      const isGood =
        /^[A-Za-z0-9_-]+$/.test(one) &&
        one.length % 4 !== 1 &&
        (one.length % 4 !== 2 || /[AQgw]$/.test(one)) &&
        (one.length % 4 !== 3 || /[AEIMQUYcgkosw048]$/.test(one));
      expect(decodeBase64url(one) !== undefined).toBe(isGood);
    }),
    { numRuns: 5000 },
  );
});
