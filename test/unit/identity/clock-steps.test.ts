import { afterEach, describe, expect, test } from 'vitest';
import type { Identity } from '../../../src/core/identity.ts';
import { createApiKeyProvider } from '../../../src/phases/identity/api-key/api-key-provider.ts';
import { createBasicProvider } from '../../../src/phases/identity/basic/basic-provider.ts';
import { createClientCertificateProvider } from '../../../src/phases/identity/client-certificate/client-certificate-provider.ts';
import { judgeLogoutToken, logoutEvent } from '../../../src/phases/identity/events/judge-logout-token.ts';
import { judgeSecurityEvent } from '../../../src/phases/identity/events/judge-security-event.ts';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import { createJwtProvider } from '../../../src/phases/identity/jwt/jwt-provider.ts';
import { defaultRevocationSettings } from '../../../src/phases/identity/revocation/revocation-settings.ts';
import { createRevocations } from '../../../src/phases/identity/revocation/revocations.ts';
import { createServiceAccountProvider } from '../../../src/phases/identity/service-account/service-account-provider.ts';
import { createSharedSecretJwtProvider } from '../../../src/phases/identity/shared-secret-jwt/shared-secret-jwt-provider.ts';
import { textKey } from '../../../src/policy/providers/provider-material.ts';
import { createClientAuthority } from '../../support/client-certificates.ts';
import { caep } from '../../support/event-transmitter.ts';
import { basicPlace, basicSpec, basicToken, fakePasswords, hashOf, htpasswd } from './basic-fixtures.ts';
import { secretOf } from './client-fixtures.ts';
import { apiKeySpec, sharedSecretSpec } from './client-specs.ts';
import { boundToken, judge, proofOf, withProof } from './dpop-fixtures.ts';
import {
  bearer,
  createWorld,
  credentialOf,
  ecKey,
  encode,
  hmacToken,
  issuer,
  jwtSpec,
  recordingLog,
  manualTime,
  requestOf,
  startSeconds,
  tokenOf,
  verdictOf,
  type Claims,
  type World,
} from './identity-fixtures.ts';
import { goodAnswer, introspectionWorld, jsonResponse } from './introspection-fixtures.ts';

const key = ecKey('k1');
const minute = 60;
const hour = 3_600;
/** Where the wall clock is set to, seconds from where it stood. */
const steps = [-10 * 365 * 86_400, -86_400, -hour, -31, -29, -1, 0, 1, 29, 31, 599, 631, hour, 86_400];

const open: { close(): void }[] = [];
afterEach(() => open.splice(0).forEach((one) => one.close()));

function closing<T extends { close(): void }>(one: T): T {
  open.push(one);
  return one;
}

async function ask(provider: MessageProvider, token: string): Promise<string> {
  return verdictOf(await provider.verify(credentialOf(token)));
}

const times: readonly (readonly [string, Claims])[] = [
  ['without iat and nbf', { iat: undefined }],
  ['with iat', { iat: startSeconds - 10 }],
  ['with nbf', { iat: undefined, nbf: startSeconds - 5 }],
  ['with both, nbf the later', { iat: startSeconds - 100, nbf: startSeconds - 5 }],
  ['with both, iat the later', { iat: startSeconds - 5, nbf: startSeconds - 100 }],
  ['that ends soon', { iat: startSeconds - 10, exp: startSeconds + 20 }],
];

describe('a token that is remembered is judged as one that nobody has seen, wherever the wall clock is set', () => {
  const jwt = (world: World): MessageProvider => closing(world.provider({ keys: inline }));
  const inline = { type: 'Inline', json: JSON.stringify({ keys: [key.jwk] }) } as const;
  const secret = 'a-shared-secret-of-32-bytes-or-more!';
  const secrets = [secretOf('acme', { data: { key: 'acme', secret } })];
  const hmac = (world: World): MessageProvider =>
    closing(createSharedSecretJwtProvider(sharedSecretSpec(), { texts: new Map(), secrets }, world.ports));
  const kinds = [
    ['JWT', jwt, (claims: Claims) => tokenOf(key, claims)],
    [
      'SharedSecretJWT',
      hmac,
      (claims: Claims) => hmacToken({ alg: 'HS256' }, { iss: 'acme', exp: startSeconds + 600, ...claims }, secret),
    ],
  ] as const;

  test.each(
    kinds.flatMap(([kind, create, mint]) => times.map(([name, claims]) => ({ kind, name, create, mint, claims }))),
  )('$kind $name', async ({ create, mint, claims }) => {
    for (const step of steps) {
      const world = createWorld([]);
      const known = create(world);
      const token = mint(claims);
      expect(await ask(known, token)).toBe('allow');
      expect(await ask(known, token)).toBe('allow');
      expect(world.events).toEqual(['miss', 'hit']);
      world.time.setWall(startSeconds + step);
      expect([step, await ask(known, token)]).toEqual([step, await ask(create(world), token)]);
    }
  });
});

describe('the keys of an issuer', () => {
  test('neither end nor are fetched again because the wall clock is set; they end with the time that passes', async () => {
    const world = createWorld([key]);
    const provider = closing(world.provider());
    await provider.firstLoad;
    for (const step of [-10 * 365 * 86_400, 10 * 365 * 86_400, 0]) {
      world.time.setWall(startSeconds + step);
      expect(await ask(provider, tokenOf(key, { iat: undefined, exp: startSeconds + step + 60 }))).toBe('allow');
    }
    expect([world.http.calls.length, provider.status().keyAgeSeconds]).toEqual([1, 0]);
    world.http.answer('https://idp.example/tenant/keys', 'gone');
    world.time.setWall(startSeconds - 86_400);
    await world.time.advance(86_400_000);
    expect(await ask(provider, tokenOf(key))).toBe('keys_unavailable');
  });
});

describe('an answer of introspection', () => {
  test('ends with its token though the wall clock was set back, and is asked for again', async () => {
    const world = introspectionWorld();
    closing(world.provider());
    world.answer(jsonResponse(goodAnswer({ iat: undefined, exp: startSeconds + 10 })));
    expect(await world.judge()).toBe('allow');
    world.answer(jsonResponse({ active: false }));
    world.time.setWall(startSeconds - hour);
    await world.time.advance(9_999);
    expect([await world.judge(), world.http.sent.length]).toEqual(['allow', 1]);
    await world.time.advance(1);
    expect([await world.judge(), world.http.sent.length]).toEqual(['token_inactive', 2]);
  });

  test('ends with its token at once where the wall clock is set on, and the issuer has the last word', async () => {
    const world = introspectionWorld();
    closing(world.provider());
    expect(await world.judge()).toBe('allow');
    world.time.setWall(startSeconds + 600);
    expect([await world.judge(), world.http.sent.length]).toEqual(['token_expired', 2]);
    // What the clock alone has against it ends with that.
    world.time.setWall(startSeconds);
    expect([await world.judge(), world.http.sent.length]).toEqual(['allow', 3]);
    world.time.setWall(startSeconds + 600);
    world.answer(jsonResponse({ active: false }));
    expect([await world.judge(), world.http.sent.length]).toEqual(['token_inactive', 4]);
  });

  test('without an end lasts for its ttl where the clock is set back, and no longer where it is set forward', async () => {
    const world = introspectionWorld({ cacheTtl: 60 });
    closing(world.provider());
    world.answer(jsonResponse(goodAnswer({ iat: undefined, exp: undefined })));
    expect(await world.judge()).toBe('allow');
    world.time.setWall(startSeconds - 86_400);
    await world.time.advance(59_999);
    expect([await world.judge(), world.http.sent.length]).toEqual(['allow', 1]);
    await world.time.advance(1);
    expect([await world.judge(), world.http.sent.length]).toEqual(['allow', 2]);
    world.time.setWall(startSeconds);
    expect([await world.judge(), world.http.sent.length]).toEqual(['allow', 3]);
  });

  test('of a token that was issued after the time to which the clock is set back is none', async () => {
    const world = introspectionWorld();
    closing(world.provider());
    expect(await world.judge()).toBe('allow');
    world.time.setWall(startSeconds - 41);
    expect(await world.judge()).toBe('token_not_yet_valid');
    world.time.setWall(startSeconds - 40);
    expect([await world.judge(), world.http.sent.length]).toEqual(['allow', 3]);
  });

  test('that refuses lasts for five seconds where the clock is set back, and no longer where it is set forward', async () => {
    const world = introspectionWorld();
    closing(world.provider());
    world.answer(jsonResponse({ active: false }));
    expect(await world.judge()).toBe('token_inactive');
    world.answer(jsonResponse(goodAnswer({ iat: undefined, exp: startSeconds + 2 * 86_400 })));
    world.time.setWall(startSeconds - 86_400);
    await world.time.advance(4_999);
    expect([await world.judge(), world.http.sent.length]).toEqual(['token_inactive', 1]);
    await world.time.advance(1);
    expect([await world.judge(), world.http.sent.length]).toEqual(['allow', 2]);
    world.answer(jsonResponse({ active: false }));
    expect(await world.judge('other')).toBe('token_inactive');
    world.time.setWall(startSeconds);
    expect([await world.judge('other'), world.http.sent.length]).toEqual(['token_inactive', 4]);
  });
});

test('a TokenReview ends with its token and its ttl where the clock is set back, and at once where it is set beyond them', async () => {
  const subject = 'system:serviceaccount:shop:web';
  const text = (exp: number): string =>
    `${encode('{"alg":"RS256"}')}.${encode(JSON.stringify({ sub: subject, exp }))}.AAAA`;
  const user = { username: subject, uid: 'u', groups: [], extra: new Map() };
  for (const [exp, step, lastsMs] of [
    [startSeconds + 10, -hour, 10_000],
    [startSeconds + 600, -hour, 30_000],
    [startSeconds + 600, 300, 0],
  ] as const) {
    const world = createWorld([]);
    let asked = 0;
    const reviews = {
      reviewToken: async () => {
        asked++;
        return { authenticated: asked === 1, user, audiences: ['orders'], hasError: false };
      },
      reviewAccess: () => Promise.reject(new Error('nobody asks')),
      failure: () => undefined,
    };
    const spec = {
      kind: 'IdentityProvider',
      type: 'ServiceAccount',
      namespace: 'shop',
      name: 'w',
      audiences: ['orders'],
      from: [bearer],
    } as const;
    const provider = createServiceAccountProvider(spec, { ...world.ports, reviews });
    expect(await ask(provider, text(exp))).toBe('allow');
    world.time.setWall(startSeconds + step);
    if (lastsMs > 0) {
      await world.time.advance(lastsMs - 1);
      expect([await ask(provider, text(exp)), asked]).toEqual(['allow', 1]);
      await world.time.advance(1);
    }
    expect([await ask(provider, text(exp)), asked]).toEqual(['token_inactive', 2]);
  }
});

test.each([
  [-86_400, 299_999],
  [86_400, 0],
])('a right password is remembered for five minutes at most where the clock is set by %d s', async (step, lastsMs) => {
  const world = createWorld([]);
  const passwords = fakePasswords();
  passwords.atOnce();
  const provider = closing(
    createBasicProvider(basicSpec, htpasswd(`alice:${hashOf('a')}`), { ...world.ports, passwords }),
  );
  const asks = async (): Promise<string> =>
    verdictOf(await provider.verify({ token: basicToken('alice', 'a'), place: basicPlace, request: requestOf({}) }));
  expect(await asks()).toBe('allow');
  world.time.setWall(startSeconds + step);
  if (lastsMs > 0) {
    await world.time.advance(lastsMs);
    expect([await asks(), passwords.computed.length]).toEqual(['allow', 1]);
    await world.time.advance(1);
  }
  expect([await asks(), passwords.computed.length]).toEqual(['allow', 2]);
});

test('an API key and a consumer end by the wall clock, and come back where it is set back', async () => {
  const world = createWorld([]);
  const annotations = { expires: new Date((startSeconds + hour) * 1000).toISOString() };
  const secrets = [secretOf('acme', { data: { 'api-key': 'k-acme-0123456789abcdef' }, annotations })];
  const keys = createApiKeyProvider(apiKeySpec, { texts: new Map(), secrets }, world.ports);
  const verdicts = [];
  for (const step of [0, hour - 1, hour, 2 * hour, -hour]) {
    world.time.setWall(startSeconds + step);
    verdicts.push(await ask(keys, 'k-acme-0123456789abcdef'));
  }
  expect(verdicts).toEqual(['allow', 'allow', 'token_expired', 'token_expired', 'allow']);
});

test('a certificate that was seen before, and a list of revoked ones, end by the wall clock', () => {
  const now = startSeconds * 1000;
  const root = createClientAuthority(now);
  const short = root.issue({ from: now - hour * 1000, to: now + hour * 1000 });
  const long = root.issue({ from: now - hour * 1000, to: now + 12 * hour * 1000 });
  const ref = { namespace: 'shop', name: 'ca', key: 'ca.crt' };
  const list = { namespace: 'shop', name: 'ca', key: 'crl.pem' };
  const texts = new Map([[textKey({ ...ref, kind: 'ConfigMap' }), root.certificate]]);
  texts.set(textKey({ ...list, kind: 'ConfigMap' }), root.revoke(['0a'], { nextUpdate: now + 2 * hour * 1000 }));
  const world = createWorld([]);
  const judged = ({ certificate }: typeof long, crl: typeof list | undefined) => {
    const spec = {
      kind: 'IdentityProvider',
      type: 'ClientCertificate',
      namespace: 'shop',
      name: 'mesh',
      source: 'Certificate',
      ca: ref,
      crl,
      spiffe: undefined,
    } as const;
    const provider = createClientCertificateProvider(spec, { texts, secrets: [] }, world.ports);
    const request = requestOf({ certificate: encodeURIComponent(certificate) });
    return (step: number): string => {
      world.time.setWall(startSeconds + step);
      const result = provider.verifyPeer(request);
      return result instanceof Promise ? 'late' : verdictOf(result);
    };
  };
  const moments = [0, 3 * hour, -2 * hour, 0];
  const ended = 'certificate_expired';
  expect(moments.map(judged(short, undefined))).toEqual(['allow', ended, ended, 'allow']);
  expect(moments.map(judged(long, undefined))).toEqual(['allow', 'allow', ended, 'allow']);
  expect(moments.map(judged(long, list))).toEqual(['allow', 'revocation_unknown', ended, 'allow']);
});

describe('DPoP', () => {
  const holder = ecKey('client');

  async function start(): Promise<{
    world: World;
    asks: (proof: string) => Promise<string>;
    proof: (iat: number) => string;
  }> {
    const world = createWorld([key]);
    const provider = closing(world.provider());
    await provider.firstLoad;
    const token = await boundToken(key, holder, { exp: startSeconds + 100 * hour, iat: undefined });
    return {
      world,
      asks: async (proof) => verdictOf(await judge(provider, withProof(token, proof))),
      proof: (iat) => proofOf(holder, token, { claims: { iat } }),
    };
  }

  test('a proof is good around the time that the wall clock has, wherever that is set', async () => {
    const { world, asks, proof } = await start();
    for (const step of [0, -hour, hour, 50 * hour]) {
      world.time.setWall(startSeconds + step);
      const at = startSeconds + step;
      const verdicts = [];
      for (const iat of [at - 301, at - 300, at, at + 60, at + 61]) verdicts.push(await asks(proof(iat)));
      expect(verdicts).toEqual(['dpop_proof', 'allow', 'allow', 'allow', 'dpop_proof']);
    }
  });

  test.each([61, 359, 600, hour])(
    'a proof is no second time good where the clock is set back by %d s in between',
    async (step) => {
      const { world, asks, proof } = await start();
      const used = proof(startSeconds);
      expect(await asks(used)).toBe('allow');
      await world.time.advance(300_000);
      world.time.setWall(startSeconds + 300 - step);
      for (let passed = 0; passed < step + 400; passed += 10) {
        expect(['dpop_replayed', 'dpop_proof']).toContain(await asks(used));
        await world.time.advance(10_000);
      }
      expect(await asks(proof(startSeconds + 700))).toBe('allow');
    },
  );

  test('nor where it is set on and back again, and back in many steps', async () => {
    const { world, asks, proof } = await start();
    const used = proof(startSeconds);
    expect(await asks(used)).toBe('allow');
    await world.time.advance(400_000);
    for (const at of [startSeconds + hour, startSeconds + 400, startSeconds + 200, startSeconds + 100]) {
      world.time.setWall(at);
      expect(['dpop_replayed', 'dpop_proof']).toContain(await asks(used));
      await world.time.advance(50_000);
    }
    expect(await asks(used)).toBe('dpop_replayed');
  });

  test('what was used is forgotten in the end, also where the clock was years ahead', async () => {
    const { world, asks, proof } = await start();
    const ahead = 5 * 365 * 86_400;
    const other = await boundToken(key, holder, { exp: startSeconds + 2 * ahead, iat: undefined });
    const provider = closing(world.provider());
    await provider.firstLoad;
    world.time.setWall(startSeconds + ahead);
    for (let i = 0; i < 1000; i++) {
      const request = withProof(other, proofOf(holder, other, { claims: { iat: startSeconds + ahead } }));
      expect(verdictOf(await judge(provider, request))).toBe('allow');
    }
    world.time.setWall(startSeconds);
    expect(await asks(proof(startSeconds))).toBe('store_unavailable');
    await world.time.advance((hour + 360) * 1000);
    expect(await asks(proof(startSeconds + hour + 360))).toBe('allow');
  });

  test('a nonce is good around its time alone, and one of before a step back is none', async () => {
    const world = createWorld([key]);
    const provider = closing(
      createJwtProvider(jwtSpec({ dpopNonce: 'Required' }), { keysText: undefined, ca: undefined }, world.ports),
    );
    await provider.firstLoad;
    const token = await boundToken(key, holder, { exp: startSeconds + 100 * hour, iat: undefined });
    const asks = async (nonce: string | undefined, iat: number) =>
      judge(provider, withProof(token, proofOf(holder, token, { claims: { iat, nonce } })));
    const refused = await asks(undefined, startSeconds);
    const nonce =
      'denial' in refused ? refused.denial.headers?.find(([name]) => name === 'dpop-nonce')?.[1] : undefined;
    expect([verdictOf(refused), verdictOf(await asks(nonce, startSeconds))]).toEqual(['dpop_nonce', 'allow']);
    for (const step of [-hour, hour]) {
      world.time.setWall(startSeconds + step);
      expect(verdictOf(await asks(nonce, startSeconds + step))).toBe('dpop_nonce');
    }
    world.time.setWall(startSeconds);
    expect(verdictOf(await asks(nonce, startSeconds))).toBe('allow');
  });
});

describe('what is revoked and signalled', () => {
  const scope = { issuer, namespace: '', provider: '' };
  const identity: Identity = {
    authenticated: true,
    subject: 'alice',
    issuer,
    provider: 'okta',
    clientId: 'web',
    scopes: [],
    roles: [],
    claims: { sub: 'alice', iat: startSeconds },
    expiresAt: startSeconds + 600,
  };
  const revocation = {
    scope,
    target: 'sub',
    value: 'alice',
    issuedBefore: startSeconds + 1,
    expiresAt: undefined,
  } as const;

  function start(maxEntries = 10) {
    const time = manualTime();
    const settings = { ...defaultRevocationSettings, maxEntries, retentionMs: minute * 1000 };
    const revocations = closing(createRevocations(settings, { ...time, logger: recordingLog() }));
    const review = revocations.reviewer({ namespace: 'shop', name: 'okta' });
    return { time, revocations, asks: (of: Identity = identity) => review({ identity: of }) };
  }

  test.each([-86_400, 86_400])('lasts for its retention at least where the clock is set by %d s', async (step) => {
    const { time, revocations, asks } = start();
    await revocations.add('events', [revocation]);
    time.setWall(startSeconds + step);
    await time.advance((minute - 1) * 1000);
    expect(verdictOf(asks())).toBe('token_revoked');
    time.setWall(startSeconds + minute);
    await time.advance(11 * minute * 1000);
    expect(verdictOf(asks())).toBe('allow');
  });

  test('the newest of what is signalled counts by its own time, whatever our clock says in between', async () => {
    const { time, revocations, asks } = start();
    const signal = (riskLevel: 'HIGH' | 'LOW', at: number) =>
      ({ scope, target: 'sub', value: 'alice', facts: { riskLevel }, at }) as const;
    await revocations.add('events', [], [signal('HIGH', startSeconds)]);
    time.setWall(startSeconds - 86_400);
    await revocations.add('events', [], [signal('LOW', startSeconds - 86_400)]);
    expect(asks()).toMatchObject({ identity: { signals: { riskLevel: 'HIGH' } } });
    time.setWall(startSeconds + 86_400);
    await revocations.add('events', [], [signal('LOW', startSeconds + 1)]);
    expect(asks()).toMatchObject({ identity: { signals: { riskLevel: 'LOW' } } });
  });

  test('an issuer whose list is full loses no revocation of a moment that our clock has not reached', async () => {
    const { revocations, asks } = start(2);
    const others = ['a', 'b'].map(
      (value) => ({ ...revocation, target: 'jti', value, issuedBefore: undefined }) as const,
    );
    await revocations.add('events', others);
    const ahead = { ...revocation, issuedBefore: startSeconds + 31 };
    expect(await revocations.add('events', [ahead])).toMatchObject({ kind: 'kept', isWidened: true });
    const of = (sub: string, iat: number): string =>
      verdictOf(asks({ ...identity, subject: sub, claims: { sub, iat } }));
    expect([
      of('alice', startSeconds + 30),
      of('alice', startSeconds + 31),
      of('bob', startSeconds + 30),
      of('bob', startSeconds + 31),
    ]).toEqual(['token_revoked', 'allow', 'token_revoked', 'allow']);
  });

  test('a message of an issuer is judged by the wall clock: one of the future is refused, and a logout token ends', () => {
    const token = (claims: Claims) => ({
      claims: { sub: 'alice', exp: startSeconds + 120, ...claims } as never,
      jti: 'j',
      iat: startSeconds,
    });
    const logout = (step: number): string =>
      judgeLogoutToken(token({ events: { [logoutEvent]: {} } }), 30, startSeconds + step).kind;
    expect([0, 149, 150, hour].map(logout)).toEqual(['understood', 'understood', 'refused', 'refused']);
    const event = {
      sub_id: { format: 'opaque', id: 'alice' },
      events: { [caep('session-revoked')]: { event_timestamp: startSeconds } },
    };
    const security = (step: number): string => judgeSecurityEvent(token(event), issuer, 30, startSeconds + step).kind;
    expect([-hour, -31, -30, 0, hour, 86_400].map(security)).toEqual([
      'refused',
      'refused',
      'understood',
      'understood',
      'understood',
      'understood',
    ]);
  });
});
