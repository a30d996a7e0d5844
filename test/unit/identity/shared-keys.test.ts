import { afterEach, describe, expect, test } from 'vitest';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import { createJwtProvider } from '../../../src/phases/identity/jwt/jwt-provider.ts';
import { createSharedFetches } from '../../../src/runtime/workers/shared-fetches.ts';
import { createWorld, jwksUri, jwtSpec, present, rsaKey, tokenOf, type World } from './identity-fixtures.ts';

const [old, fresh] = [rsaKey('old'), rsaKey('fresh')];
const token = tokenOf(old, { exp: 1_900_000_000 });

const providers: MessageProvider[] = [];
afterEach(() => {
  for (const provider of providers.splice(0)) provider.close();
});

/** Processes that fetch together, begun at these times, milliseconds. */
async function begin(refreshIntervalMs: number, times: readonly number[]): Promise<World> {
  const world = createWorld([old], { refreshIntervalMs });
  const shared = createSharedFetches(world.http, world.time.clock);
  for (const [index, at] of times.entries()) {
    await world.time.advance(at - (times[index - 1] ?? 0));
    const ports = {
      ...world.ports,
      http: { ...world.http, ...shared },
      random: { id: () => '0', fraction: () => index / times.length },
    };
    const provider = createJwtProvider(jwtSpec(), { keysText: undefined, ca: undefined }, ports);
    await provider.firstLoad;
    providers.push(provider);
  }
  return world;
}

const answers = (): Promise<readonly unknown[]> => Promise.all(providers.map((one) => present(one, token)));

describe.each([
  ['ten seconds', 10_000],
  ['a minute', 60_000],
])('with an interval of %s', (_name, interval) => {
  test('no process accepts a withdrawn key longer than that, whenever it is withdrawn and whoever fetched', async () => {
    for (let part = 0; part < 8; part++) {
      const { time, http } = await begin(interval, [0, 900, 1800]);
      await time.advance(2.5 * interval + (part * interval) / 8);
      expect(await answers()).toEqual(['allow', 'allow', 'allow']);
      http.answer(jwksUri, { keys: [fresh.jwk] });
      await time.advance(interval);
      expect(await answers()).toEqual(['token_key', 'token_key', 'token_key']);
      for (const provider of providers.splice(0)) provider.close();
    }
  });

  test('the issuer is asked as often by several as by one', async () => {
    const { time, http } = await begin(interval, [0, 900, 1800]);
    await time.advance(100 * interval);
    expect(http.calls.length).toBeGreaterThanOrEqual(100);
    expect(http.calls.length).toBeLessThan(125);
    expect(await answers()).toEqual(['allow', 'allow', 'allow']);
  });
});

test('the age of keys is told from when the issuer gave them, to whichever process', async () => {
  const { http } = await begin(600_000, [0, 7000]);
  expect(http.calls).toHaveLength(1);
  expect(providers.map((one) => one.status().keyAgeSeconds)).toEqual([7, 7]);
});
