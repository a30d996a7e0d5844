import { expect, it } from 'vitest';
import { mergeConditions } from '../../../src/runtime/workers/merge-conditions.ts';

const own = { key: 'IdentityProvider shop/idp', keys: 2, keyAgeSeconds: 10, lastError: undefined };

it('the fewest and oldest keys of all processes are told, and what went wrong in any', () => {
  const others = [
    { ...own, keys: 1, keyAgeSeconds: 30 },
    { ...own, keys: 2, keyAgeSeconds: undefined, lastError: 'the answer is 500', unusable: 'a key' },
  ];
  expect(mergeConditions(own, others)).toEqual({
    ...own,
    keys: 1,
    keyAgeSeconds: 30,
    lastError: 'the answer is 500',
    unusable: 'a key',
  });
  expect(mergeConditions(own, [])).toEqual({ ...own, unusable: undefined });
});

it('of who is asked about each credential workers alone know', () => {
  const asked = { ...own, keyAgeSeconds: undefined, isKeyless: true, isAsked: false, isAnswering: true };
  expect(mergeConditions(asked, [{ ...asked, isAsked: true }, asked])).toMatchObject({
    isAsked: true,
    isAnswering: true,
  });
  expect(
    mergeConditions(asked, [asked, { ...asked, isAsked: true, isAnswering: false, lastError: 'forbidden' }]),
  ).toMatchObject({ isAsked: true, isAnswering: false, lastError: 'forbidden' });
  expect(mergeConditions(asked, [])).toMatchObject({ isAsked: false, isAnswering: true });
});
