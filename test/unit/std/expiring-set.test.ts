import { expect, test } from 'vitest';
import { createExpiringSet } from '../../../src/std/expiring-set.ts';

test('a text is known until its time is over', () => {
  const set = createExpiringSet(10);
  expect([set.add('a', 5, 0), set.add('a', 5, 4), set.add('a', 5, 5), set.add('a', 5, 6)]).toEqual([
    'added',
    'known',
    'added',
    'known',
  ]);
});

test('a full one refuses what is new and forgets nothing before its time', () => {
  const set = createExpiringSet(3);
  for (const key of ['a', 'b', 'c']) expect(set.add(key, 100, 0)).toBe('added');
  expect([set.add('d', 100, 1), set.add('a', 100, 1), set.add('b', 100, 99), set.size]).toEqual([
    'full',
    'known',
    'known',
    3,
  ]);
  expect([set.add('d', 100, 100), set.size]).toEqual(['added', 1]);
});

test('one whose oldest lasts longest makes room of those behind it, within a thousand refusals', () => {
  const set = createExpiringSet(10);
  for (let i = 0; i < 5; i++) set.add(`long ${i}`, 1_000, 0);
  for (let i = 0; i < 5; i++) set.add(`short ${i}`, 1, 0);
  const answers = Array.from({ length: 1_001 }, (_, i) => set.add(`new ${i}`, 1, 2));
  expect(answers.filter((answer) => answer === 'added').length).toBeGreaterThanOrEqual(5);
  expect(set.add('long 0', 1, 3)).toBe('known');
});

test('what is over goes as new ones come, so that a steady stream takes a steady room', () => {
  const set = createExpiringSet(100_000);
  for (let now = 0; now < 20_000; now++) set.add(String(now), 100, now);
  expect(set.size).toBeLessThanOrEqual(110);
});
