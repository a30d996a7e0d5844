import { expect, test } from 'vitest';
import { anonymous } from '../../../src/core/identity.ts';
import { createCheckRequestDecoder } from '../../../src/envoy/decode-check-request.ts';
import { createTokenCache, type VerifiedToken } from '../../../src/phases/identity/jwt/token-cache.ts';
import { heapGrowth } from '../../support/heap-growth.ts';
import { checkRequest } from '../envoy/envoy-fixtures.ts';

const verified: VerifiedToken = { identity: anonymous, keyFingerprint: 'k', expiresAt: 2, notBefore: undefined };
const limits = { maxEntries: 1000, maxBytes: 10_000_000 };

test('a token is found again by its whole text and by the provider that put it there', () => {
  const cache = createTokenCache(limits);
  const [one, other] = [cache.forProvider(), cache.forProvider()];
  one.set('a.b.c', verified);
  expect(one.get('a.b.c')).toMatchObject(verified);
  expect([one.get('a.b.d'), one.get('a.b'), other.get('a.b.c')]).toEqual([undefined, undefined, undefined]);
});

test('tokens with the same end are never taken for one another', () => {
  const tokens = createTokenCache(limits).forProvider();
  const [known, forged] = ['a', 'b'].map((payload) => `h.${payload}.${'s'.repeat(342)}`) as [string, string];
  tokens.set(known, verified);
  expect([tokens.get(known)?.expiresAt, tokens.get(forged)]).toEqual([2, undefined]);
  tokens.delete(forged);
  expect(tokens.get(known)).toMatchObject(verified);
  tokens.delete(known);
  expect(tokens.get(known)).toBeUndefined();
});

test('a remembered token does not keep the message in memory that it came in', () => {
  const decoder = createCheckRequestDecoder();
  const filler = 'y'.repeat(50_000);
  const messages = Array.from({ length: 200 }, (_, n) =>
    checkRequest({ headers: { authorization: `Bearer ${n}.${'x'.repeat(500)}`, filler } }),
  );
  const tokenOf = (n: number): string => {
    const decoded = decoder.decode(messages[n] ?? Buffer.alloc(0));
    if (decoded.kind === 'undecodable') throw new Error(decoded.why);
    const header = [...decoded.request.headers].find(({ name }) => name === 'authorization');
    return header?.value.slice('Bearer '.length) ?? '';
  };
  const tokens = createTokenCache(limits).forProvider();
  const remember = (n: number): void => tokens.set(tokenOf(n), verified);
  expect(heapGrowth(200, tokenOf)).toBeLessThan(1_000_000);
  expect(heapGrowth(200, remember)).toBeLessThan(1_000_000);
  expect(tokens.get(tokenOf(199))).toMatchObject(verified);
});

test('with room for no token none is remembered, nor listed for its provider', () => {
  const cache = createTokenCache({ ...limits, maxEntries: 0 });
  const tokens = cache.forProvider();
  tokens.set('a.b.c', verified);
  const kept: VerifiedToken[] = [];
  tokens.keepWhere((one) => kept.push(one) > 0);
  expect([tokens.get('a.b.c'), cache.entries, kept]).toEqual([undefined, 0, []]);
});
