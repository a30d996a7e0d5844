import { expect, it } from 'vitest';
import { createTokenBucket } from '../../../src/kubernetes/token-bucket.ts';

it('lets a number of things happen at once, then one from time to time, and saves no more than that number', () => {
  let now = 5000;
  const bucket = createTokenBucket({ burst: 2, refillMs: 100 }, { now: () => 0, monotonic: () => now });
  const after = (ms: number): number => {
    now += ms;
    return bucket.take();
  };
  expect([after(0), after(0), after(0), after(30), after(70), after(0), after(150), after(0)]).toEqual([
    0, 0, 100, 70, 0, 100, 0, 50,
  ]);
  expect([after(100_000), after(0), after(0)]).toEqual([0, 0, 100]);
});
