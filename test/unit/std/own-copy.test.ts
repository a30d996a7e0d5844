import { expect, test } from 'vitest';
import { ownCopy } from '../../../src/std/own-copy.ts';
import { heapGrowth } from '../../support/heap-growth.ts';

test.each([
  ['nothing', ''],
  ['ASCII', 'Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln'],
  ['Latin-1', 'caf\u00e9\u0000\u00ff'],
  ['other text', 'schl\u00fcssel \u{1f511}\uFFFD'],
  ['a lone surrogate', 'a\ud800b'],
])('a copy of %s is the same text', (_, text) => {
  expect(ownCopy(text)).toBe(text);
});

test('a copy does not keep the text that it was cut out of, as the part itself does', () => {
  const part = (n: number): string => Buffer.alloc(50_000, `${n} x`).toString('latin1').slice(0, 60);
  expect(heapGrowth(200, part)).toBeGreaterThan(9_000_000);
  expect(heapGrowth(200, (n) => ownCopy(part(n)))).toBeLessThan(1_000_000);
});
