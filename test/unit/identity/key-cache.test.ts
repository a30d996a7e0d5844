import { afterEach, describe, expect, test } from 'vitest';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import {
  createWorld,
  discoveryUri,
  ecKey,
  failing,
  issuer,
  jwksUri,
  present,
  rsaKey,
  settle,
  startSeconds,
  tokenOf,
  type HttpAnswer,
  type TestKey,
  type World,
} from './identity-fixtures.ts';

const first = rsaKey('k1');
const second = rsaKey('k2');
const minute = 60_000;
const hour = 60 * minute;

let provider: MessageProvider | undefined;
afterEach(() => provider?.close());

async function warm(
  keys: readonly TestKey[] = [first],
): Promise<World & { readonly ask: (token: string) => Promise<string> }> {
  const world = createWorld(keys);
  const started = world.provider();
  provider = started;
  await started.firstLoad;
  return { ...world, ask: (token) => present(started, token) };
}

/** A new token every time, so that no answer comes out of the token cache. */
let serial = 0;
function fresh(key: TestKey, claims: object = {}, header: object = {}): string {
  return tokenOf(key, { jti: String(serial++), exp: 1_900_000_000, ...claims }, { ...header });
}

const brokenAnswers: readonly (readonly [string, HttpAnswer, string])[] = [
  ['is down', failing('http_connect'), 'http_connect'],
  ['answers 500', failing('http_status'), 'http_status'],
  ['answers HTML', '<!doctype html><p>Sign in</p>', 'the key set is not JSON (syntax)'],
  ['answers nothing', '', 'the key set is not JSON (syntax)'],
  ['answers an empty set', { keys: [] }, 'the key set has no usable key'],
  ['answers without keys', {}, 'the key set is not an object with an array of keys'],
  ['answers an array', [first.jwk], 'the key set is not an object with an array of keys'],
  [
    'answers only keys that cannot be used',
    { keys: [{ kty: 'oct', k: 'AA', kid: 'x' }] },
    'no usable key; key "x" left out',
  ],
  ['answers 101 keys', { keys: Array.from({ length: 101 }, () => second.jwk) }, 'more than 100 keys'],
  ['answers 10 MB', failing('http_too_large'), 'http_too_large'],
  ['drips', failing('http_timeout'), 'http_timeout'],
  ['redirects', failing('http_redirect'), 'http_redirect'],
  ['answers a gzip bomb', failing('http_encoded'), 'http_encoded'],
  ['answers bytes that are not UTF-8', Buffer.from([0x7b, 0xff]), 'encoding'],
];

describe('a JWKS that fails after it was good', () => {
  test.each(brokenAnswers)('keeps the last good keys where it %s', async (_name, answer, error) => {
    const { http, time, ask } = await warm();
    http.answer(jwksUri, answer);
    await time.advance(10 * minute);
    expect(http.calls).toHaveLength(2);
    expect(await ask(fresh(first))).toBe('allow');
    expect(await ask(fresh(second))).toBe('token_key');
    expect(provider?.status()).toEqual({ keys: 1, keyAgeSeconds: 600, lastError: expect.stringContaining(error) });
  });

  test('keeps known keys for the stale window, denies with 503 after it, and recovers within seconds when the issuer is back', async () => {
    const { http, time, ask } = await warm();
    const cached = fresh(first);
    expect(await ask(cached)).toBe('allow');
    http.answer(jwksUri, failing('http_connect'));
    await time.advance(24 * hour - 1000);
    expect(await ask(fresh(first))).toBe('allow');
    expect(await ask(cached)).toBe('allow');
    await time.advance(1000);
    expect(await ask(fresh(first))).toBe('keys_unavailable');
    expect(await ask(cached)).toBe('keys_unavailable');
    expect(provider?.status()).toEqual({ keys: 0, keyAgeSeconds: undefined, lastError: expect.any(String) });
    http.answer(jwksUri, { keys: [first.jwk] });
    await time.advance(6_000);
    expect(await ask(fresh(first))).toBe('allow');
  });

  test('asks ever more rarely while it is down, and no more than once each refresh interval in the end', async () => {
    const { http, time } = await warm();
    http.answer(jwksUri, failing('http_connect'));
    await time.advance(10 * minute);
    http.calls.length = 0;
    await time.advance(30_000);
    expect(http.calls).toHaveLength(1);
    await time.advance(60_000);
    expect(http.calls).toHaveLength(2);
    await time.advance(3 * hour);
    http.calls.length = 0;
    await time.advance(hour);
    expect(http.calls).toHaveLength(6);
  });

  test('says so once in the log, and once that it is over', async () => {
    const { http, time, log } = await warm();
    http.answer(jwksUri, failing('http_connect'));
    await time.advance(hour);
    http.answer(jwksUri, { keys: [first.jwk] });
    await time.advance(10 * minute);
    expect(log.lines).toEqual([
      {
        level: 'warn',
        fields: {
          provider: 'IdentityProvider shop/okta',
          code: 'http_connect',
          error: `GET ${jwksUri}: http_connect`,
          keysInForce: true,
        },
        message: 'keys could not be fetched',
      },
      { level: 'info', fields: { provider: 'IdentityProvider shop/okta', keys: 1 }, message: 'keys fetched again' },
    ]);
    expect(provider?.status().lastError).toBeUndefined();
  });
});

describe('a JWKS that fails from the start', () => {
  test.each(brokenAnswers)('denies with keys_unavailable and recovers by itself where it %s', async (_name, answer) => {
    const world = createWorld([]);
    world.http.answer(jwksUri, answer);
    provider = world.provider();
    await provider.firstLoad;
    expect(await present(provider, fresh(first))).toBe('keys_unavailable');
    await world.time.advance(minute);
    expect(await present(provider, fresh(first))).toBe('keys_unavailable');
    // After a minute of failures at most six seconds apart.
    expect(world.http.calls.length).toBeGreaterThan(10);
    world.http.answer(jwksUri, { keys: [first.jwk] });
    await world.time.advance(6_000);
    expect(await present(provider, fresh(first))).toBe('allow');
    expect(await present(provider, fresh(second))).toBe('token_key');
  });

  test('no request causes a fetch before there are keys', async () => {
    const world = createWorld([]);
    world.http.answer(jwksUri, failing('http_connect'));
    provider = world.provider();
    await provider.firstLoad;
    await Promise.all(Array.from({ length: 50 }, () => present(provider ?? world.provider(), fresh(first))));
    expect(world.http.calls).toHaveLength(1);
  });

  test('requests wait for the very first fetch, which is one', async () => {
    const world = createWorld([]);
    const gate = Promise.withResolvers<Uint8Array>();
    world.http.answer(jwksUri, () => gate.promise);
    const slow = world.provider();
    provider = slow;
    const waiting = Promise.all([fresh(first), fresh(first), fresh(second)].map((token) => present(slow, token)));
    gate.resolve(Buffer.from(JSON.stringify({ keys: [first.jwk] })));
    expect(await waiting).toEqual(['allow', 'allow', 'token_key']);
    // The second one is what the unknown key asked for.
    expect(world.http.calls).toHaveLength(2);
  });

  test('another issuer is not affected', async () => {
    const world = createWorld([first]);
    world.http.answer('https://slow.example/keys', () => new Promise(() => {}));
    const slow = world.provider({
      issuer: 'https://slow.example',
      keys: { type: 'URI', uri: 'https://slow.example/keys' },
    });
    provider = world.provider();
    await provider.firstLoad;
    expect(await present(provider, fresh(first))).toBe('allow');
    slow.close();
  });
});

describe('keys that change', () => {
  test('hard rotation: the first token of the new key waits for one fetch and is allowed, so are those beside it', async () => {
    const { http, ask } = await warm();
    http.answer(jwksUri, { keys: [second.jwk] });
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => ask(fresh(second))));
    expect(new Set(verdicts)).toEqual(new Set(['allow']));
    expect(http.calls).toHaveLength(2);
    expect(await ask(fresh(first))).toBe('token_key');
  });

  test('rotation with overlap: both keys work after at most one fetch', async () => {
    const { http, ask } = await warm();
    http.answer(jwksUri, { keys: [first.jwk, second.jwk] });
    expect(await ask(fresh(first))).toBe('allow');
    expect(http.calls).toHaveLength(1);
    expect(await ask(fresh(second))).toBe('allow');
    expect(await ask(fresh(first))).toBe('allow');
    expect(http.calls).toHaveLength(2);
  });

  test('rotation of an issuer that names no key ids', async () => {
    const { http, ask } = await warm();
    http.answer(jwksUri, { keys: [second.jwk] });
    expect(await ask(fresh(second, {}, { kid: undefined }))).toBe('allow');
    expect(http.calls).toHaveLength(2);
  });

  test('rotation under the same key id: the first token of the new key waits for one fetch and is allowed', async () => {
    const { http, ask } = await warm();
    const replaced = rsaKey('k1');
    http.answer(jwksUri, { keys: [replaced.jwk] });
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => ask(fresh(replaced))));
    expect(new Set(verdicts)).toEqual(new Set(['allow']));
    expect(http.calls).toHaveLength(2);
    expect(await ask(fresh(first))).toBe('token_signature');
  });

  test('a request that joins a fetch begun before the rotation asks once more', async () => {
    const { http, time, ask } = await warm();
    const gate = Promise.withResolvers<Uint8Array>();
    http.answer(jwksUri, () => gate.promise);
    await time.advance(10 * minute);
    const verdict = ask(fresh(second));
    await settle();
    http.answer(jwksUri, { keys: [second.jwk] });
    gate.resolve(Buffer.from(JSON.stringify({ keys: [first.jwk] })));
    expect(await verdict).toBe('allow');
    expect(http.calls).toHaveLength(3);
  });

  test('a withdrawn key is denied after one refresh, its cached tokens too', async () => {
    const { http, time, ask, ports } = await warm([first, second]);
    const cached = fresh(first);
    const kept = fresh(second);
    expect([await ask(cached), await ask(kept)]).toEqual(['allow', 'allow']);
    expect(ports.tokens.entries).toBe(2);
    http.answer(jwksUri, { keys: [second.jwk] });
    await time.advance(10 * minute);
    expect(ports.tokens.entries).toBe(1);
    expect([await ask(cached), await ask(kept)]).toEqual(['token_key', 'allow']);
  });

  test('a key that keeps its id and changes its material takes its cached tokens along', async () => {
    const { http, time, ask } = await warm();
    const replaced = rsaKey('k1');
    const cached = fresh(first);
    expect(await ask(cached)).toBe('allow');
    http.answer(jwksUri, { keys: [replaced.jwk] });
    await time.advance(10 * minute);
    expect(await ask(cached)).toBe('token_signature');
    expect(await ask(fresh(replaced))).toBe('allow');
  });

  test('keys that end while a token is being verified do not let it in', async () => {
    // Its signatures take so long that they are looked at in another thread.
    const slow = ecKey('slow', 'ES384', 'P-384');
    const world = createWorld([slow], { staleWindowMs: minute });
    const started = world.provider({ algorithms: ['ES384'] });
    provider = started;
    await started.firstLoad;
    world.http.answer(jwksUri, failing('http_connect'));
    await world.time.advance(minute - 1);
    expect(await present(started, fresh(slow))).toBe('allow');
    const verdict = present(started, fresh(slow));
    await world.time.advance(1);
    expect(await verdict).toBe('keys_unavailable');
    expect(world.ports.tokens.entries).toBe(1);
  });

  test('a token that ends while keys are waited for is not let in', async () => {
    const { http, time, ask } = await warm();
    const gate = Promise.withResolvers<Uint8Array>();
    http.answer(jwksUri, () => gate.promise);
    const tokens = [fresh(second, { exp: startSeconds + 1 }), fresh(second, { exp: startSeconds + 2 })];
    const verdicts = Promise.all(tokens.map((token) => ask(token)));
    await time.advance(31_500);
    gate.resolve(Buffer.from(JSON.stringify({ keys: [second.jwk] })));
    expect(await verdicts).toEqual(['token_expired', 'allow']);
  });
});

describe('a flood of unknown key ids, or of signatures that are wrong', () => {
  const stranger = rsaKey('k1');
  test.each([
    ['key ids', 'up', { keys: [first.jwk] }],
    ['key ids', 'down', failing('http_connect')],
    ['signatures', 'up', { keys: [first.jwk] }],
    ['signatures', 'down', failing('http_connect')],
  ] as const)(
    'of %s causes at most two fetches a minute while the issuer is %s, and known keys work on',
    async (what, _name, answer) => {
      const { http, time, ask } = await warm();
      http.answer(jwksUri, answer);
      http.calls.length = 0;
      for (let second_ = 0; second_ < 300; second_++) {
        const flood = Array.from({ length: 3 }, (_, i) =>
          ask(what === 'signatures' ? fresh(stranger) : fresh(first, {}, { kid: `random-${second_}-${i}` })),
        );
        expect(new Set(await Promise.all(flood))).toEqual(
          new Set([what === 'signatures' ? 'token_signature' : 'token_key']),
        );
        await time.advance(1_000);
      }
      expect(await ask(fresh(first))).toBe('allow');
      expect(http.calls.length).toBeGreaterThanOrEqual(5);
      expect(http.calls.length).toBeLessThanOrEqual(11);
    },
  );

  test('an algorithm that does not fit a known key causes none', async () => {
    const { http, ask } = await warm();
    expect(await ask(tokenOf({ ...first, alg: 'PS256' }))).toBe('token_key');
    expect(http.calls).toHaveLength(1);
  });
});

describe('the refresh in the background', () => {
  test('comes every interval, earlier by up to a tenth, and reads an unchanged document only once', async () => {
    const { http, time, ports } = await warm();
    expect(time.pending()).toEqual([10 * minute]);
    await time.advance(hour);
    expect(http.calls).toHaveLength(7);
    expect(provider?.status()).toEqual({ keys: 1, keyAgeSeconds: 0, lastError: undefined });
    provider?.close();
    expect(time.pending()).toEqual([]);
    const jittered = createWorld([first]);
    Object.assign(jittered.ports, { random: { ...ports.random, fraction: () => 0.999 } });
    provider = jittered.provider();
    await provider.firstLoad;
    expect(Math.round((jittered.time.pending()[0] ?? 0) / 1000)).toBe(540);
  });

  test('comes before the stale window ends where that is shorter than the interval', async () => {
    const world = createWorld([first], { staleWindowMs: minute });
    provider = world.provider();
    await provider.firstLoad;
    for (let second = 0; second < 180; second++) {
      await world.time.advance(1000);
      expect(await present(provider, tokenOf(first, { exp: startSeconds + 3600, jti: `${second}` }))).toBe('allow');
    }
    expect(world.http.calls.length).toBeLessThan(6);
  });

  test('ends with the provider, also where a fetch is under way', async () => {
    const world = createWorld([]);
    const gate = Promise.withResolvers<Uint8Array>();
    world.http.answer(jwksUri, () => gate.promise);
    const closing = world.provider();
    closing.close();
    gate.resolve(Buffer.from(JSON.stringify({ keys: [first.jwk] })));
    await closing.firstLoad;
    expect(world.time.pending()).toEqual([]);
    expect(world.events).toEqual([]);
    expect(await present(closing, fresh(first))).toBe('keys_unavailable');
  });
});

describe('discovery', () => {
  const other = 'https://idp.example/.well-known/oauth-authorization-server/tenant';
  const metadata = { issuer, jwks_uri: jwksUri };

  async function discovering(answers: Readonly<Record<string, HttpAnswer>>): Promise<World> {
    const world = createWorld([first]);
    for (const [url, answer] of Object.entries(answers)) world.http.answer(url, answer);
    provider = world.provider({ keys: { type: 'Discovery' } });
    await provider.firstLoad;
    return world;
  }

  test('asks OpenID Connect first', async () => {
    const { http } = await discovering({ [discoveryUri]: metadata });
    expect(http.calls).toEqual([discoveryUri, jwksUri]);
    expect(provider?.status().keys).toBe(1);
  });

  test.each([
    ['404', failing('http_status')],
    ['a page of HTML', '<html>'],
    ['another issuer', { ...metadata, issuer: `${issuer}/` }],
  ] as const)('asks RFC 8414 where OpenID Connect answers %s', async (_name, answer) => {
    const { http } = await discovering({ [discoveryUri]: answer, [other]: metadata });
    expect(http.calls).toEqual([discoveryUri, other, jwksUri]);
    expect(provider?.status().keys).toBe(1);
  });

  test.each([
    ['names another issuer', { ...metadata, issuer: 'https://idp.example' }],
    ['names no issuer', { jwks_uri: jwksUri }],
    ['has no jwks_uri', { issuer }],
    ['has a jwks_uri that is no URL', { issuer, jwks_uri: 'keys' }],
    ['leads from https to http', { issuer, jwks_uri: jwksUri.replace('https', 'http') }],
    ['leads to a file', { issuer, jwks_uri: 'file:///etc/passwd' }],
    ['is an array', []],
    ['has a member twice', `{"issuer":"${issuer}","jwks_uri":"https://evil.example","jwks_uri":"${jwksUri}"}`],
  ] as const)('metadata that %s is not used', async (_name, answer) => {
    const { http } = await discovering({ [discoveryUri]: answer, [other]: answer });
    expect(http.calls.every((url) => url === discoveryUri || url === other)).toBe(true);
    expect(provider?.status()).toEqual({ keys: 0, keyAgeSeconds: undefined, lastError: expect.any(String) });
  });

  test('an issuer that does not answer at all is not asked twice', async () => {
    const { http } = await discovering({ [discoveryUri]: failing('http_connect') });
    expect(http.calls).toEqual([discoveryUri]);
  });

  test('an unknown key costs one fetch: the place of the keys is remembered, and asked for again in the background', async () => {
    const { http, time } = await discovering({ [discoveryUri]: metadata });
    http.calls.length = 0;
    if (provider !== undefined) expect(await present(provider, fresh(second))).toBe('token_key');
    expect(http.calls).toEqual([jwksUri]);
    http.calls.length = 0;
    await time.advance(10 * minute);
    expect(http.calls).toEqual([discoveryUri, jwksUri]);
  });

  const movedUri = 'https://idp.example/tenant/new-keys';
  /** The issuer moves its keys; what serves the old place is the answer. */
  async function moved(old: HttpAnswer): Promise<World & { readonly ask: (token: string) => Promise<string> }> {
    const world = await discovering({ [discoveryUri]: metadata });
    world.http.answer(discoveryUri, { issuer, jwks_uri: movedUri });
    world.http.answer(movedUri, { keys: [second.jwk] });
    world.http.answer(jwksUri, old);
    world.http.calls.length = 0;
    return { ...world, ask: async (token) => (provider === undefined ? 'no provider' : present(provider, token)) };
  }

  const oldPlaces = [
    ['serves on', { keys: [first.jwk] }],
    ['is gone', failing('http_status')],
  ] as const;
  test.each(oldPlaces)(
    'requests with bad tokens do not put it off while the old place %s: the withdrawn key ends after one interval',
    async (_name, old) => {
      const { time, ask } = await moved(old);
      for (let passed = 0; passed < 10 * minute; passed += 10_000) {
        await ask(fresh(first, {}, { kid: `random-${passed}` }));
        await time.advance(10_000);
      }
      expect([await ask(fresh(first)), await ask(fresh(second))]).toEqual(['token_key', 'allow']);
    },
  );

  test.each(oldPlaces)('control: without requests it is so too where the old place %s', async (_name, old) => {
    const { time, ask } = await moved(old);
    await time.advance(10 * minute);
    expect([await ask(fresh(first)), await ask(fresh(second))]).toEqual(['token_key', 'allow']);
  });

  test('a request asks discovery itself where the place of the keys failed before it', async () => {
    const { http, time, ask, ports } = await moved(failing('http_status'));
    // The background tries again after 36 seconds.
    Object.assign(ports.random, { fraction: () => 0.999 });
    expect(await ask(fresh(second))).toBe('token_key');
    expect(http.calls).toEqual([jwksUri]);
    await time.advance(minute / 2);
    expect(await ask(fresh(second))).toBe('allow');
    expect(http.calls).toEqual([jwksUri, discoveryUri, movedUri]);
  });

  test('a fetch for a request that runs while it is due does not take its place', async () => {
    const { http, time, ask } = await moved({ keys: [first.jwk] });
    await time.advance(10 * minute - 1);
    const gate = Promise.withResolvers<Uint8Array>();
    http.answer(jwksUri, () => gate.promise);
    const verdict = ask(fresh(first, {}, { kid: 'unknown' }));
    await settle();
    expect(http.calls).toEqual([jwksUri]);
    await time.advance(1000);
    gate.resolve(Buffer.from(JSON.stringify({ keys: [first.jwk] })));
    expect(await verdict).toBe('token_key');
    await time.advance(1);
    expect([await ask(fresh(first)), await ask(fresh(second))]).toEqual(['token_key', 'allow']);
  });

  test('keys that only requests fetched, while discovery fails, are in force no longer than the stale window', async () => {
    const { http, time, ask } = await moved({ keys: [first.jwk, second.jwk] });
    http.answer(discoveryUri, failing('http_connect'));
    expect(await ask(fresh(second))).toBe('allow');
    await time.advance(12 * hour);
    expect(await ask(fresh(first, {}, { kid: 'unknown' }))).toBe('token_key');
    expect(await ask(fresh(second))).toBe('allow');
    await time.advance(12 * hour);
    expect(await ask(fresh(second))).toBe('keys_unavailable');
  });
});

describe('keys that come with the provider', () => {
  const jwks = JSON.stringify({ keys: [first.jwk, { kty: 'oct', kid: 'bad', k: 'AA' }] });

  test('an inline set is never fetched, and leaves a bad key out', async () => {
    const world = createWorld([]);
    provider = world.provider({ keys: { type: 'Inline', json: jwks } });
    expect(await present(provider, fresh(first))).toBe('allow');
    expect(await present(provider, fresh(second))).toBe('token_key');
    expect(provider.status()).toEqual({
      keys: 1,
      keyAgeSeconds: undefined,
      lastError: 'key "bad" left out: a symmetric key never verifies for an issuer',
      unusable: 'key "bad" left out: a symmetric key never verifies for an issuer',
    });
    expect(world.http.calls).toEqual([]);
    expect(world.time.pending()).toEqual([]);
  });

  test('a ConfigMap that is missing leaves the provider without keys', async () => {
    const world = createWorld([]);
    provider = world.provider({ keys: { type: 'ConfigMap', ref: { namespace: 'shop', name: 'keys', key: 'jwks' } } });
    expect(await present(provider, fresh(first))).toBe('keys_unavailable');
    expect(provider.status().lastError).toBe('the ConfigMap shop/keys or its key jwks is missing');
  });

  test('a private CA that is missing leaves it without keys, and nothing is called', async () => {
    const world = createWorld([first]);
    provider = world.provider({ ca: { namespace: 'shop', name: 'ca', key: 'ca.crt' } });
    expect(await present(provider, fresh(first))).toBe('keys_unavailable');
    expect(world.http.calls).toEqual([]);
  });
});
