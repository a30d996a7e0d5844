import { expect, it } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { createSharedFetches } from '../../../src/runtime/workers/shared-fetches.ts';
import { createManualTime } from '../kubernetes/manual-time.ts';

const limits = { timeoutMs: 1000, maxBytes: 1000, ca: undefined };
const url = 'https://idp.example/keys';

function createStand() {
  const time = createManualTime();
  const asked: string[] = [];
  const place = { isUp: true, text: 'one' };
  const fetches = createSharedFetches(
    {
      get: async (where) => {
        asked.push(where);
        if (!place.isUp) throw new Failure('http_status', 'the answer is 500');
        return new TextEncoder().encode(place.text);
      },
    },
    time.clock,
  );
  const get = async (where = url, changes = {}): Promise<string> =>
    new TextDecoder().decode((await fetches.getShared(where, { ...limits, ...changes })).body);
  const advance = (ms: number): Promise<void> => time.advance(ms);
  return { ...time, advance, asked, place, fetches, get };
}

it('fetches once for all who ask together, and for half a minute', async () => {
  const { get, asked, advance, place } = createStand();
  expect(await Promise.all([get(), get(), get()])).toEqual(['one', 'one', 'one']);
  place.text = 'two';
  await advance(29_000);
  expect([await get(), asked.length]).toEqual(['one', 1]);
  await advance(2000);
  expect([await get(), asked.length]).toEqual(['two', 2]);
});

it('takes nothing for the same that is elsewhere, under other trust, or longer', async () => {
  const { get, asked } = createStand();
  await get();
  await get('https://other.example/keys');
  await get(url, { ca: 'one authority' });
  await get(url, { ca: 'another authority' });
  await get(url, { maxBytes: 10 });
  await get(url, { timeoutMs: 5 });
  expect(asked).toHaveLength(5);
});

it('asks an issuer that never answered again within seconds, however many workers ask, and one that did ever more rarely', async () => {
  const { get, asked, advance, place } = createStand();
  place.isUp = false;
  for (let second = 0; second < 60; second++) {
    for (let worker = 0; worker < 8; worker++) await expect(get()).rejects.toThrow('500');
    await advance(1000);
  }
  expect(asked.length).toBeGreaterThan(25);
  expect(asked.length).toBeLessThan(40);
  place.isUp = true;
  await advance(2000);
  expect(await get()).toBe('one');
  const before = asked.length;
  place.isUp = false;
  await advance(31_000);
  for (let second = 0; second < 300; second++) {
    await expect(get()).rejects.toThrow('500');
    await advance(1000);
  }
  expect(asked.length - before).toBeLessThan(28);
  place.isUp = true;
  await advance(30_000);
  expect(await get()).toBe('one');
});

it('remembers the last good answer and how old it is, and nothing that was never good', async () => {
  const { get, fetches, advance, place } = createStand();
  expect(await fetches.recall(url, limits)).toBeUndefined();
  await get();
  place.isUp = false;
  await advance(3_600_000);
  await expect(get()).rejects.toThrow('500');
  expect(await fetches.recall(url, limits)).toEqual({ body: new TextEncoder().encode('one'), ageMs: 3_600_000 });
  expect(await fetches.recall(url, { ...limits, ca: 'another authority' })).toBeUndefined();
});

it('fetches anew where a request waits for something newer, once in half a minute for all', async () => {
  const { get, asked, advance, place } = createStand();
  await get();
  place.text = 'two';
  await advance(1000);
  expect(await get(url)).toBe('one');
  expect(await Promise.all([get(url, { isUrgent: true }), get(url, { isUrgent: true })])).toEqual(['two', 'two']);
  place.text = 'three';
  for (let worker = 0; worker < 8; worker++) expect(await get(url, { isUrgent: true })).toBe('two');
  expect(asked).toHaveLength(2);
  await advance(30_000);
  expect([await get(url, { isUrgent: true }), asked.length]).toEqual(['three', 3]);
  place.isUp = false;
  await advance(29_000);
  expect([await get(url, { isUrgent: true }), asked.length]).toEqual(['three', 3]);
});

it('says how old an answer is that somebody else caused, and gives none that is older than the asker allows', async () => {
  const { fetches, asked, advance, place } = createStand();
  const ask = async (changes = {}): Promise<readonly [string, number]> => {
    const { body, ageMs } = await fetches.getShared(url, { ...limits, ...changes });
    return [new TextDecoder().decode(body), ageMs];
  };
  expect(await ask()).toEqual(['one', 0]);
  place.text = 'two';
  await advance(2000);
  expect([await ask({ maxAgeMs: 2001 }), asked.length]).toEqual([['one', 2000], 1]);
  expect([await ask({ maxAgeMs: 2000 }), asked.length]).toEqual([['two', 0], 2]);
  await advance(30_000);
  // What is allowed beyond half a minute is not given.
  expect([await ask({ maxAgeMs: 3_600_000 }), asked.length]).toEqual([['two', 0], 3]);
});

it('makes no more fetches for requests than one in half a minute, however young they would have it, and says how old it is', async () => {
  const { fetches, asked, advance } = createStand();
  const urgent = { ...limits, isUrgent: true, maxAgeMs: 1000 };
  expect((await fetches.getShared(url, urgent)).ageMs).toBe(0);
  await advance(29_000);
  expect([(await fetches.getShared(url, urgent)).ageMs, asked.length]).toEqual([29_000, 1]);
  await advance(1000);
  expect([(await fetches.getShared(url, urgent)).ageMs, asked.length]).toEqual([0, 2]);
});
