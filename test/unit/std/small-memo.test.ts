import { expect, test } from 'vitest';
import { createSmallMemo, rememberPassed } from '../../../src/std/small-memo.ts';
import { heapGrowth } from '../../support/heap-growth.ts';

test('what was made for a key is made once, for as many keys as are kept', () => {
  const memo = createSmallMemo<string, number>(2);
  let made = 0;
  const ask = (key: string): number => memo(key, () => ++made);
  expect(['a', 'b', 'a', 'b', 'c', 'c', 'a'].map(ask)).toEqual([1, 2, 1, 2, 3, 4, 1]);
});

test('what passed is not tested again, as far as there is room, and what did not pass is', () => {
  const tested: string[] = [];
  const isGood = rememberPassed(2, (text) => {
    tested.push(text);
    return text.startsWith('good');
  });
  const texts = ['good1', 'bad', 'good2', 'good3', 'good1', 'bad', 'good2', 'good3'];
  expect(texts.map(isGood)).toEqual([true, false, true, true, true, false, true, true]);
  expect(tested).toEqual(['good1', 'bad', 'good2', 'good3', 'bad', 'good3']);
});

test('a text that passed does not keep the text in memory that it was cut out of', () => {
  const isGood = rememberPassed(1000, () => true);
  const part = (n: number): string => Buffer.alloc(50_000, `${n} x`).toString('latin1').slice(0, 60);
  expect(heapGrowth(200, (n) => void isGood(part(n)))).toBeLessThan(1_000_000);
});
