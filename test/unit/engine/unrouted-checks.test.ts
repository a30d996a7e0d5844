import { expect, test } from 'vitest';
import { createUnroutedChecks } from '../../../src/engine/unrouted-checks.ts';

function start() {
  let now = 0;
  const told: string[] = [];
  const checks = createUnroutedChecks({ now: () => now, monotonic: () => now }, (policy) => void told.push(policy));
  return { checks, told, wait: (minutes: number) => void (now += minutes * 60_000) };
}

test('the first check for a policy is told, and the next one after it was forgotten', () => {
  const { checks, told, wait } = start();
  for (let round = 0; round < 3; round++) checks.note('shop/a');
  expect([told, checks.isMissed('shop/a'), checks.isMissed('shop/b')]).toEqual([['shop/a'], true, false]);
  wait(16);
  expect(checks.isMissed('shop/a')).toBe(false);
  checks.note('shop/a');
  expect(told).toEqual(['shop/a', 'shop/a']);
});

test('more policies than are remembered are no news with each check', () => {
  const { checks, told, wait } = start();
  const all = Array.from({ length: 1500 }, (_policy, index) => `evil/p${index}`);
  for (let round = 0; round < 5; round++) for (const policy of all) checks.note(policy);
  expect(told).toHaveLength(1000);
  // Whoever is not asked for any more gives room to others.
  wait(16);
  checks.note('shop/a');
  expect([told.at(-1), checks.isMissed('shop/a')]).toEqual(['shop/a', true]);
});
