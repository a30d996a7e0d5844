import { afterEach, describe, expect, test } from 'vitest';
import { createApiKeyProvider } from '../../../src/phases/identity/api-key/api-key-provider.ts';
import { createBasicProvider } from '../../../src/phases/identity/basic/basic-provider.ts';
import { logoutEvent } from '../../../src/phases/identity/events/judge-logout-token.ts';
import { createIntrospectionProvider } from '../../../src/phases/identity/introspection/introspection-provider.ts';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import { createJwtProvider } from '../../../src/phases/identity/jwt/jwt-provider.ts';
import { createSharedSecretJwtProvider } from '../../../src/phases/identity/shared-secret-jwt/shared-secret-jwt-provider.ts';
import type { JwtProviderSpec } from '../../../src/policy/provider-spec.ts';
import { caep } from '../../support/event-transmitter.ts';
import { basicPlace, basicSpec, basicToken, fakePasswords, hashOf, htpasswd } from './basic-fixtures.ts';
import { secretOf } from './client-fixtures.ts';
import { apiKeySpec, sharedSecretSpec } from './client-specs.ts';
import { boundToken, judge, proofOf, withProof } from './dpop-fixtures.ts';
import {
  audience,
  createWorld,
  credentialOf,
  discoveryUri,
  ecKey,
  failing,
  hmacToken,
  issuer,
  jwksUri,
  jwtSpec,
  present,
  requestOf,
  settle,
  signText,
  startSeconds,
  verdictOf,
  type Claims,
  type TestKey,
  type World,
} from './identity-fixtures.ts';
import {
  clientId,
  clientMaterial,
  endpoint,
  goodAnswer,
  introspectionSpec,
  introspectionWorld,
  jsonResponse,
} from './introspection-fixtures.ts';

const key = ecKey('k1');
const stranger = ecKey('k1');
const minute = 60_000;
let serial = 0;

const open: { close(): void }[] = [];
afterEach(() => open.splice(0).forEach((one) => one.close()));

function closing<T extends { close(): void }>(one: T): T {
  open.push(one);
  return one;
}

/** A way by which somebody without a credential may make us look for keys: a message of these keys' id, signed by the key. */
interface Way {
  readonly name: string;
  start(world: World): (by: TestKey, kid: string) => Promise<string>;
}

function signed(by: TestKey, kid: string, typ: string, claims: Claims): string {
  return signText(JSON.stringify({ alg: by.alg, kid, typ }), JSON.stringify({ jti: `${serial++}`, ...claims }), by);
}

const later = startSeconds + 1e6;
const token = (by: TestKey, kid: string): string =>
  signed(by, kid, 'JWT', { iss: issuer, aud: audience, sub: 'alice', exp: later });
const logoutToken = (by: TestKey, kid: string): string =>
  signed(by, kid, 'logout+jwt', {
    iss: issuer,
    aud: 'web',
    sub: 'alice',
    iat: startSeconds,
    exp: later,
    events: { [logoutEvent]: {} },
  });
const eventToken = (by: TestKey, kid: string): string =>
  signed(by, kid, 'secevent+jwt', {
    iss: issuer,
    aud: 'us',
    iat: startSeconds,
    sub_id: { format: 'opaque', id: 'alice' },
    events: { [caep('session-revoked')]: {} },
  });

const nothing = { keysText: undefined, ca: undefined };
const receiver = { issuer, audiences: ['us'], ca: undefined, authorization: undefined };

function startJwt(world: World, changes: Partial<JwtProviderSpec>): MessageProvider {
  world.http.answer(discoveryUri, { issuer, jwks_uri: jwksUri });
  return closing(createJwtProvider(jwtSpec(changes), nothing, world.ports, { ...nothing, authorization: undefined }));
}

async function deliver(provider: MessageProvider, kind: 'logout' | 'events', text: string): Promise<string> {
  const receipt = await provider.receive?.({ kind, token: text, authorization: undefined });
  return receipt?.kind === 'understood' ? 'allow' : 'refused';
}

const takesMessages = { logout: { audiences: ['web'] }, events: { ...receiver, keys: undefined } };
const ways: readonly Way[] = [
  {
    name: 'tokens, where discovery names the keys',
    start: (world) => {
      const provider = startJwt(world, { keys: { type: 'Discovery' } });
      return (by, kid) => present(provider, token(by, kid));
    },
  },
  {
    name: 'logout tokens',
    start: (world) => {
      const provider = startJwt(world, takesMessages);
      return (by, kid) => deliver(provider, 'logout', logoutToken(by, kid));
    },
  },
  {
    name: 'security events of the issuer of the tokens',
    start: (world) => {
      const provider = startJwt(world, takesMessages);
      return (by, kid) => deliver(provider, 'events', eventToken(by, kid));
    },
  },
  {
    name: 'security events of a transmitter with keys of its own',
    start: (world) => {
      const inline = { type: 'Inline', json: JSON.stringify({ keys: [key.jwk] }) } as const;
      const provider = startJwt(world, { keys: inline, events: { ...receiver, keys: { type: 'URI', uri: jwksUri } } });
      return (by, kid) => deliver(provider, 'events', eventToken(by, kid));
    },
  },
  {
    name: 'tokens, logout tokens and events together',
    start: (world) => {
      const provider = startJwt(world, takesMessages);
      return async (by, kid) => {
        const verdicts = await Promise.all([
          present(provider, token(by, kid)),
          deliver(provider, 'logout', logoutToken(by, kid)),
          deliver(provider, 'events', eventToken(by, kid)),
        ]);
        return verdicts.every((verdict) => verdict === 'allow') ? 'allow' : 'refused';
      };
    },
  },
  {
    name: 'tokens that introspection answers with a signature',
    start: (world) => {
      world.http.answer(discoveryUri, { issuer, jwks_uri: jwksUri });
      const spec = introspectionSpec({ signedAnswers: true, cacheTtl: 0 });
      const provider = closing(createIntrospectionProvider(spec, clientMaterial(), world.ports));
      return (by, kid) => {
        const claims = {
          iss: issuer,
          aud: clientId,
          iat: world.ports.clock.now() / 1000,
          token_introspection: goodAnswer({ exp: later }),
        };
        const text = signed(by, kid, 'token-introspection+jwt', claims);
        world.http.answerSent(endpoint, () =>
          jsonResponse(text, { contentType: 'application/token-introspection+jwt' }),
        );
        return present(provider, `opaque-${serial++}`);
      };
    },
  },
];

/** Of five minutes: two in each, one of the background, and what discovery is asked for with that. */
const mostFetches = 12;

describe('a flood of unknown keys causes at most two fetches a minute', () => {
  const states = [
    ['up', { keys: [key.jwk] }],
    ['down', failing('http_connect')],
  ] as const;
  const rows = ways.flatMap((way) => states.map(([state, answer]) => ({ way, name: way.name, state, answer })));

  test.each(rows)('of $name, while the issuer is $state', async ({ way, answer }) => {
    const world = createWorld([key]);
    const send = way.start(world);
    await world.time.advance(1);
    expect(await send(key, 'k1')).toBe('allow');
    world.http.answer(jwksUri, answer);
    world.http.calls.length = 0;
    for (let second = 0; second < 300; second++) {
      const verdicts = await Promise.all([
        send(key, `random-${second}`),
        send(stranger, 'k1'),
        send(stranger, `random-${second}`),
      ]);
      expect(verdicts).not.toContain('allow');
      await world.time.advance(1_000);
    }
    expect(world.http.calls.length).toBeGreaterThan(0);
    expect(world.http.calls.length).toBeLessThanOrEqual(mostFetches);
    // The circuit of introspection, which such answers open, closes again by itself.
    await world.time.advance(minute);
    expect(await send(key, 'k1')).toBe('allow');
  });

  test.each(ways)('of $name, and none where there never were keys', async (way) => {
    const fetches = async (perSecond: number): Promise<number> => {
      const world = createWorld([]);
      world.http.answer(jwksUri, failing('http_connect'));
      const send = way.start(world);
      await world.time.advance(1);
      for (let second = 0; second < 60; second++) {
        for (let i = 0; i < perSecond; i++) expect(await send(stranger, `random-${second}`)).not.toBe('allow');
        await world.time.advance(1_000);
      }
      return world.http.calls.length;
    };
    expect(await fetches(2)).toBe(await fetches(0));
  });
});

describe('a flood of credentials that nobody gave out', () => {
  test('of opaque tokens: each is asked about once, and takes nothing from what is known of good ones', async () => {
    const world = introspectionWorld({ cacheTtl: 3_600 });
    closing(world.provider());
    expect(await world.judge('good')).toBe('allow');
    world.answer(jsonResponse({ active: false }));
    for (let i = 0; i < 3_000; i++) expect(await world.judge(`random-${i}`)).toBe('token_inactive');
    expect([await world.judge('good'), world.http.sent.length, world.ports.tokens.entries]).toEqual([
      'allow',
      3_001,
      1,
    ]);
  });

  test('of opaque tokens while the issuer does not answer: it is left alone but for a probe now and then, and known ones go on', async () => {
    const world = introspectionWorld({ cacheTtl: 3_600 });
    closing(world.provider());
    world.answer(jsonResponse(goodAnswer({ exp: later })));
    expect(await world.judge('good')).toBe('allow');
    world.answer(() => Promise.reject(new Error('away')));
    for (let second = 0; second < 300; second++) {
      const verdicts = await Promise.all(Array.from({ length: 5 }, (_, i) => world.judge(`random-${second}-${i}`)));
      expect(new Set(verdicts)).toEqual(new Set(['introspection_unavailable']));
      await world.time.advance(1_000);
    }
    expect(world.http.sent.length).toBeLessThanOrEqual(1 + 5 + 6 + 300 / 15);
    expect(await world.judge('good')).toBe('allow');
    world.answer(jsonResponse(goodAnswer({ exp: later })));
    await world.time.advance(36_000);
    expect(await world.judge('another')).toBe('allow');
  });

  test('of API keys: nothing is kept of them, nothing is told, and the good one goes on', () => {
    const world = createWorld([]);
    const secrets = [secretOf('acme', { data: { 'api-key': 'k-acme-0123456789abcdef' } })];
    const keys = createApiKeyProvider(apiKeySpec, { texts: new Map(), secrets }, world.ports);
    const before = keys.status();
    const codes = new Set<string>();
    for (let i = 0; i < 20_000; i++) {
      const result = keys.verify(credentialOf(`k-acme-${i}-0123456789abcdef`));
      codes.add(result instanceof Promise ? 'late' : verdictOf(result));
    }
    expect([[...codes], world.log.lines, keys.status()]).toEqual([['credential_unknown'], [], before]);
    expect(keys.verify(credentialOf('k-acme-0123456789abcdef'))).toHaveProperty('identity');
  });

  test('of wrong passwords: known people go on, and a new one as soon as there is room', async () => {
    const world = createWorld([]);
    const passwords = fakePasswords();
    const text = `alice:${hashOf('a')}\nbob:${hashOf('b')}`;
    const people = closing(createBasicProvider(basicSpec, htpasswd(text), { ...world.ports, passwords }));
    const send = async (user: string, password: string): Promise<string> =>
      verdictOf(await people.verify({ token: basicToken(user, password), place: basicPlace, request: requestOf({}) }));
    const first = send('alice', 'a');
    await settle();
    passwords.settleOne();
    expect(await first).toBe('allow');
    const flood = Array.from({ length: 2_000 }, (_, i) => send(`user-${i}`, 'guess'));
    expect([await send('alice', 'a'), await send('bob', 'b')]).toEqual(['allow', 'provider_busy']);
    passwords.atOnce();
    const verdicts = new Set(await Promise.all(flood));
    expect(verdicts).toEqual(new Set(['password_rejected', 'provider_busy']));
    expect(passwords.computed.length).toBeLessThanOrEqual(1 + 2 + 32);
    expect(await send('bob', 'b')).toBe('allow');
  });

  test('of tokens with made-up codes and consumers: nothing of them is remembered', () => {
    const world = createWorld([]);
    const secret = 'a-shared-secret-of-32-bytes-or-more!';
    const secrets = [secretOf('acme', { data: { key: 'acme', secret } })];
    const partners = closing(
      createSharedSecretJwtProvider(sharedSecretSpec(), { texts: new Map(), secrets }, world.ports),
    );
    const good = hmacToken({ alg: 'HS256' }, { iss: 'acme', exp: later }, secret);
    expect(partners.verify(credentialOf(good))).toHaveProperty('identity');
    for (let i = 0; i < 2_000; i++) {
      const iss = i % 2 === 0 ? 'acme' : `consumer-${i}`;
      const guess = hmacToken({ alg: 'HS256' }, { iss, exp: later, i }, `${secret}${i}`);
      expect(partners.verify(credentialOf(guess))).toHaveProperty('denial');
    }
    expect([world.ports.tokens.entries, world.log.lines]).toEqual([1, []]);
    expect(partners.verify(credentialOf(good))).toHaveProperty('identity');
  });

  test('of DPoP proofs that are not good: none of them fills the memory of proofs', async () => {
    const world = createWorld([key]);
    const provider = closing(world.provider());
    await provider.firstLoad;
    const [holder, thief] = [ecKey('holder'), ecKey('thief')];
    const bound = await boundToken(key, holder);
    const used = proofOf(holder, bound);
    expect(verdictOf(await judge(provider, withProof(bound, used)))).toBe('allow');
    // The memory of the tests holds a thousand.
    for (let i = 0; i < 400; i++) {
      const bad = [
        used,
        proofOf(thief, bound),
        proofOf(holder, bound, { signedWith: thief }),
        proofOf(holder, bound, { claims: { iat: startSeconds - 400 } }),
        proofOf(holder, bound, { claims: { htm: 'PUT' } }),
      ];
      const verdicts = await Promise.all(
        bad.map(async (proof) => verdictOf(await judge(provider, withProof(bound, proof)))),
      );
      expect(verdicts).toEqual(['dpop_replayed', 'token_binding', 'dpop_proof', 'dpop_proof', 'dpop_proof']);
    }
    expect(verdictOf(await judge(provider, withProof(bound, proofOf(holder, bound))))).toBe('allow');
  });
});
