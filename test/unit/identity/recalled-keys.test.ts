import { afterEach, expect, test } from 'vitest';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import { createJwtProvider } from '../../../src/phases/identity/jwt/jwt-provider.ts';
import {
  createWorld,
  discoveryUri,
  failing,
  issuer,
  jwksUri,
  jwtSpec,
  present,
  rsaKey,
  tokenOf,
  type World,
} from './identity-fixtures.ts';

const key = rsaKey('k1');
const minute = 60_000;
const hour = 60 * minute;
const token = (jti: string): string => tokenOf(key, { jti, exp: 1_900_000_000 });

let provider: MessageProvider | undefined;
afterEach(() => provider?.close());

/** A provider that begins while its issuer is away, and whose keys somebody remembers, as they were fetched so long ago. */
async function begin(
  remembered: ReadonlyMap<string, object>,
  ageMs: number,
  keys: Parameters<typeof jwtSpec>[0] = {},
): Promise<World> {
  const world = createWorld([key]);
  world.http.answer(jwksUri, failing('http_connect'));
  world.http.answer(discoveryUri, failing('http_connect'));
  const recall = async (url: string): Promise<{ body: Uint8Array; ageMs: number } | undefined> => {
    const found = remembered.get(url);
    return found && { body: Buffer.from(JSON.stringify(found)), ageMs };
  };
  const http = { ...world.http, recall };
  const material = { keysText: undefined, ca: undefined };
  provider = createJwtProvider(jwtSpec(keys), material, { ...world.ports, http });
  await provider.firstLoad;
  return world;
}

const set = { keys: [key.jwk] };

test('who begins while the issuer is away goes on with the keys that are remembered, and says so', async () => {
  await begin(new Map([[jwksUri, set]]), hour);
  if (provider === undefined) throw new Error('there is one');
  expect(await present(provider, token('a'))).toBe('allow');
  expect(provider.status()).toMatchObject({
    keys: 1,
    keyAgeSeconds: 3600,
    lastError: expect.stringContaining('http_connect'),
  });
});

test('they are as old as they are: the stale window does not begin anew', async () => {
  const { time } = await begin(new Map([[jwksUri, set]]), 23 * hour);
  if (provider === undefined) throw new Error('there is one');
  expect(await present(provider, token('a'))).toBe('allow');
  await time.advance(hour + 1000);
  expect(await present(provider, token('b'))).toBe('keys_unavailable');
});

test('what is older than the stale window, or is no key set, is nothing', async () => {
  await begin(new Map([[jwksUri, set]]), 24 * hour);
  if (provider === undefined) throw new Error('there is one');
  expect(await present(provider, token('a'))).toBe('keys_unavailable');
  await begin(new Map([[jwksUri, { keys: [] }]]), 0);
  expect(await present(provider, token('a'))).toBe('keys_unavailable');
});

test('the issuer that is back takes over', async () => {
  const world = await begin(new Map([[jwksUri, set]]), hour);
  if (provider === undefined) throw new Error('there is one');
  const next = rsaKey('k2');
  world.http.answer(jwksUri, { keys: [next.jwk] });
  await world.time.advance(11 * minute);
  expect(await present(provider, tokenOf(next, { jti: 'c', exp: 1_900_000_000 }))).toBe('allow');
  expect(await present(provider, token('d'))).toBe('token_key');
});

test('with discovery what it said is remembered too, and is that of the issuer', async () => {
  const discovery = { keys: { type: 'Discovery' } } as const;
  const said = { issuer, jwks_uri: jwksUri };
  await begin(
    new Map<string, object>([
      [discoveryUri, said],
      [jwksUri, set],
    ]),
    hour,
    discovery,
  );
  if (provider === undefined) throw new Error('there is one');
  expect(await present(provider, token('a'))).toBe('allow');
  await begin(
    new Map<string, object>([
      [discoveryUri, { ...said, issuer: 'https://evil.example' }],
      [jwksUri, set],
    ]),
    hour,
    discovery,
  );
  expect(await present(provider, token('a'))).toBe('keys_unavailable');
});
