import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatChallenge } from '../../../src/std/www-authenticate.ts';

test('challenges as RFC 6750 section 3 writes them', () => {
  expect(formatChallenge('Bearer', [['realm', 'shop']])).toBe('Bearer realm="shop"');
  const error = [
    ['error', 'insufficient_scope'],
    ['scope', 'read write'],
  ] as const;
  expect(formatChallenge('Bearer', [['realm', 'shop'], ...error])).toBe(
    'Bearer realm="shop", error="insufficient_scope", scope="read write"',
  );
  expect(formatChallenge('Bearer', [])).toBe('Bearer');
});

test('no value, whatever it is, ends its quotes or its line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (scheme, value) => {
      expect(formatChallenge(`B${scheme}`, [['realm', value]])).toMatch(/^[A-Za-z0-9._~+-]+ realm="[ !#-[\]-~]*"$/);
    }),
  );
});
