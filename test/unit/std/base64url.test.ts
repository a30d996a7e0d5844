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
