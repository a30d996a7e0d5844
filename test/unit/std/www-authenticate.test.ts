import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatChallenge, insufficientScopeChallenge, missingChallenge } from '../../../src/std/www-authenticate.ts';

test('challenges as RFC 6750 section 3 writes them', () => {
  expect(missingChallenge('Bearer', 'shop')).toBe('Bearer realm="shop"');
  expect(insufficientScopeChallenge('Bearer', 'shop', ['read', 'write'])).toBe(
    'Bearer realm="shop", error="insufficient_scope", scope="read write"',
  );
  expect(insufficientScopeChallenge('Bearer', 'shop', [])).toBe('Bearer realm="shop", error="insufficient_scope"');
  expect(formatChallenge('Bearer', [])).toBe('Bearer');
});

test('no value, whatever it is, ends its quotes or its line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (scheme, value) => {
      expect(formatChallenge(`B${scheme}`, [['realm', value]])).toMatch(/^[A-Za-z0-9._~+-]+ realm="[ !#-[\]-~]*"$/);
    }),
  );
});
