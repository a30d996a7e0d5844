import { expect, test } from 'vitest';
import { createBoundedCache } from '../../../src/std/bounded-cache.ts';
import { heapGrowth } from '../../support/heap-growth.ts';

test('what was used least recently goes when there are too many', () => {
  const cache = createBoundedCache<{ n: number }>({ maxEntries: 2, maxBytes: 100 });
  cache.set('a', { n: 1 }, 1);
  cache.set('b', { n: 2 }, 1);
  expect(cache.get('a')).toEqual({ n: 1 });
  cache.set('c', { n: 3 }, 1);
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([{ n: 1 }, undefined, { n: 3 }]);
  cache.delete('a');
  expect([cache.entries, cache.bytes]).toEqual([1, 1]);
});

test('the sum of sizes is bounded, and what is larger than the whole is not kept', () => {
  const cache = createBoundedCache<{ n: number }>({ maxEntries: 100, maxBytes: 10 });
  cache.set('a', { n: 1 }, 6);
  cache.set('b', { n: 2 }, 4);
  expect(cache.bytes).toBe(10);
  cache.set('c', { n: 3 }, 1);
  expect(cache.get('a')).toBeUndefined();
  cache.set('c', { n: 4 }, 11);
  expect(cache.get('c')).toBeUndefined();
  expect(cache.get('b')).toEqual({ n: 2 });
});

test('entries are taken out by a test, all of those and only those', () => {
  const cache = createBoundedCache<{ n: number }>({ maxEntries: 1000, maxBytes: 10_000 });
  for (let n = 0; n < 1000; n++) cache.set(`k${n}`, { n }, 1);
  cache.deleteWhere(({ n }, key) => n % 3 !== 0 || key === 'k999');
  expect(cache.entries).toBe(333);
  expect([cache.get('k0'), cache.get('k1'), cache.get('k999')]).toEqual([{ n: 0 }, undefined, undefined]);
});

test('a key does not keep the text in memory that it was cut out of', () => {
  const cache = createBoundedCache<{ n: number }>({ maxEntries: 1000, maxBytes: 1000 });
  const part = (n: number): string => Buffer.alloc(50_000, `${n} x`).toString('latin1').slice(0, 60);
  expect(heapGrowth(200, (n) => cache.set(part(n), { n }, 1))).toBeLessThan(1_000_000);
  expect(cache.get(part(7))).toEqual({ n: 7 });
});

test.each([
  ['entries', { maxEntries: 0, maxBytes: 1000 }],
  ['bytes', { maxEntries: 1000, maxBytes: 0 }],
])('with room for no %s nothing is kept', (_what, limits) => {
  const gone: object[] = [];
  const cache = createBoundedCache<{ n: number }>({ ...limits, onGone: (value) => void gone.push(value) });
  cache.set('a', { n: 1 }, 1);
  expect([cache.get('a'), cache.entries, cache.bytes, gone]).toEqual([undefined, 0, 0, []]);
});
