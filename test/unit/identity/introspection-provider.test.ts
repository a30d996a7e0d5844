import { describe, expect, test } from 'vitest';
import { testCertificate } from '../runtime/test-certificate.ts';
import { Failure } from '../../../src/core/failure.ts';
import type { HttpResponse } from '../../../src/core/ports.ts';
import { createIntrospectionProvider } from '../../../src/phases/identity/introspection/introspection-provider.ts';
import { audience, credentialOf, issuer, settle, startSeconds, verdictOf, type Claims } from './identity-fixtures.ts';
import {
  clientMaterial,
  endpoint,
  goodAnswer,
  introspectionSpec,
  introspectionWorld,
  jsonResponse,
} from './introspection-fixtures.ts';

describe('the answer about a token', () => {
  test('that is active gives the identity', async () => {
    const { verify, answer } = introspectionWorld({
      claims: { subject: 'sub', scopes: ['scope'], roles: ['/realm_access/roles'] },
    });
    answer(jsonResponse(goodAnswer({ realm_access: { roles: ['admin'] } })));
    expect(await verify()).toEqual({
      identity: {
        authenticated: true,
        subject: 'alice',
        issuer,
        provider: 'opaque',
        clientId: 'web',
        scopes: ['read', 'write'],
        roles: ['admin'],
        claims: goodAnswer({ realm_access: { roles: ['admin'] } }),
        expiresAt: startSeconds + 600,
      },
    });
  });

  test.each<[string, Claims, string]>([
    ['as it should be', {}, 'allow'],
    ['active: false', { active: false }, 'token_inactive'],
    ['active: "true"', { active: 'true' }, 'introspection_unavailable'],
    ['active: 1', { active: 1 }, 'introspection_unavailable'],
    ['active: null', { active: null }, 'introspection_unavailable'],
    ['active: [true]', { active: [true] }, 'introspection_unavailable'],
    ['no active', { active: undefined }, 'introspection_unavailable'],
    ['no aud', { aud: undefined }, 'token_audience'],
    ['another aud', { aud: 'api://other' }, 'token_audience'],
    ['an empty list of aud', { aud: [] }, 'token_audience'],
    ['a list of aud with ours', { aud: ['account', audience] }, 'allow'],
    ['a list of aud with ours and a number', { aud: [audience, 1] }, 'token_audience'],
    ['another iss', { iss: `${issuer}/` }, 'token_issuer'],
    ['no iss', { iss: undefined }, 'token_issuer'],
    ['an exp that is over', { exp: startSeconds }, 'token_expired'],
    ['an exp in a second', { exp: startSeconds + 1 }, 'allow'],
    ['no exp', { exp: undefined }, 'allow'],
    ['an exp that is a text', { exp: String(startSeconds + 600) }, 'token_claim'],
    ['an exp of null', { exp: null }, 'token_claim'],
    ['an exp that no calendar has', { exp: 1e15 }, 'token_claim'],
    ['an nbf within the skew', { nbf: startSeconds + 30 }, 'allow'],
    ['an nbf beyond it', { nbf: startSeconds + 31 }, 'token_not_yet_valid'],
    ['an iat within the skew', { iat: startSeconds + 30 }, 'allow'],
    ['an iat beyond it', { iat: startSeconds + 31 }, 'token_not_yet_valid'],
    ['a cnf', { cnf: { jkt: 'x' } }, 'token_binding'],
    ['token_type DPoP with a cnf', { token_type: 'DPoP', cnf: { jkt: 'x' } }, 'token_binding'],
    ['token_type DPoP without a cnf', { token_type: 'DPoP' }, 'token_binding'],
    ['no token_type', { token_type: undefined }, 'allow'],
    ['token_type bearer', { token_type: 'bearer' }, 'allow'],
    ['token_type refresh_token', { token_type: 'refresh_token' }, 'token_type'],
    ['token_type N_A', { token_type: 'N_A' }, 'token_type'],
    ['a token_type that is a list', { token_type: ['Bearer'] }, 'token_type'],
    ['typ Bearer', { typ: 'Bearer' }, 'allow'],
    ['typ Refresh', { typ: 'Refresh' }, 'token_type'],
    ['typ Offline', { typ: 'Offline' }, 'token_type'],
    ['typ ID', { typ: 'ID' }, 'token_type'],
    ['token_use access_token', { token_use: 'access_token' }, 'allow'],
    ['token_use id', { token_use: 'id' }, 'token_type'],
    [
      'the events of a logout token',
      { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
      'token_type',
    ],
    ['no sub', { sub: undefined }, 'allow'],
    ['a sub that is a number', { sub: 7 }, 'token_claim'],
    ['an empty sub', { sub: '' }, 'token_claim'],
  ])('with %s', async (_title, changes, code) => {
    const { judge, answer } = introspectionWorld();
    answer(jsonResponse(goodAnswer(changes)));
    expect(await judge()).toBe(code);
    answer(jsonResponse(goodAnswer()));
    expect(await judge('another')).toBe('allow');
  });

  test('without sub is of no subject: a client is never taken for a user', async () => {
    const { verify, answer } = introspectionWorld();
    answer(jsonResponse(goodAnswer({ sub: undefined, username: 'root' })));
    expect(await verify()).toMatchObject({ identity: { subject: '', clientId: 'web' } });
  });

  test('without the subject that the author chose is refused', async () => {
    const { judge } = introspectionWorld({ claims: { subject: 'username', scopes: ['scope'], roles: [] } });
    expect(await judge()).toBe('token_claim');
  });

  test('may be of any issuer where the provider names none', async () => {
    const { judge, verify, answer } = introspectionWorld({ issuer: undefined, cacheTtl: 0 });
    answer(jsonResponse(goodAnswer({ iss: undefined })));
    expect(await judge()).toBe('allow');
    answer(jsonResponse(goodAnswer({ iss: 'https://other.example' })));
    expect(await verify()).toMatchObject({ identity: { issuer: 'https://other.example' } });
  });
});

describe('what is no answer of RFC 7662', () => {
  const good = JSON.stringify(goodAnswer());
  test.each<[string, HttpResponse, string]>([
    ['the good answer', jsonResponse(good), 'allow'],
    ['with a charset', jsonResponse(good, { contentType: 'Application/JSON; charset=utf-8' }), 'allow'],
    ['status 201', jsonResponse(good, { status: 201 }), 'answers with status 201'],
    ['status 204', jsonResponse('', { status: 204 }), 'answers with status 204'],
    ['status 400', jsonResponse(good, { status: 400 }), 'answers with status 400'],
    ['status 401', jsonResponse(good, { status: 401 }), 'refuses our client (status 401)'],
    ['status 403', jsonResponse(good, { status: 403 }), 'refuses our client (status 403)'],
    ['status 429', jsonResponse(good, { status: 429 }), 'answers with status 429'],
    ['status 500', jsonResponse(good, { status: 500 }), 'answers with status 500'],
    ['HTML', jsonResponse('<html>', { contentType: 'text/html' }), 'not application/json'],
    ['JSON that is called HTML', jsonResponse(good, { contentType: 'text/html' }), 'not application/json'],
    ['no content type', jsonResponse(good, { contentType: '' }), 'not application/json'],
    [
      'a JWT that nobody asked for',
      jsonResponse(good, { contentType: 'application/token-introspection+jwt' }),
      'not application/json',
    ],
    ['nothing', jsonResponse(''), 'cannot be read (syntax)'],
    ['a list', jsonResponse(`[${good}]`), 'is no object'],
    ['a member twice', jsonResponse(`{"active":false,${good.slice(1)}`), 'cannot be read (duplicate_member)'],
    ['something behind it', jsonResponse(`${good}x`), 'cannot be read (syntax)'],
    [
      'bytes that are not UTF-8',
      jsonResponse('', { body: Buffer.from([0x7b, 0xff, 0x7d]) }),
      'cannot be read (encoding)',
    ],
    [
      'a depth without end',
      jsonResponse(`{"active":true,"a":${'['.repeat(100)}${']'.repeat(100)}}`),
      'cannot be read (too_deep)',
    ],
  ])('%s', async (_title, response, expected) => {
    const { judge, answer, provider } = introspectionWorld();
    answer(response);
    expect(await judge()).toBe(expected === 'allow' ? 'allow' : 'introspection_unavailable');
    const { lastError, isAnswering } = provider().status();
    if (expected === 'allow') expect([lastError, isAnswering]).toEqual([undefined, true]);
    else expect([lastError, isAnswering]).toEqual([expect.stringContaining(expected), false]);
    answer(jsonResponse(good));
    expect(await judge()).toBe('allow');
  });
});

describe('a credential', () => {
  test.each([
    ['empty', '', 'token_malformed'],
    ['with a space', 'a b', 'token_malformed'],
    ['with a line end', 'a\n', 'token_malformed'],
    ['with a NUL', 'a\0', 'token_malformed'],
    ['beyond ASCII', 'töken', 'token_malformed'],
    ['of 16 KiB', 'a'.repeat(16_384), 'allow'],
    ['beyond that', 'a'.repeat(16_385), 'token_too_large'],
    ['of all visible characters', String.fromCharCode(...Array.from({ length: 94 }, (_, i) => i + 33)), 'allow'],
  ])('%s', async (_title, token, code) => {
    const { judge, http } = introspectionWorld();
    expect(await judge(token)).toBe(code);
    expect(http.sent).toHaveLength(code === 'allow' ? 1 : 0);
  });

  test('is sent as form data, whatever it holds, and nowhere else', async () => {
    const { judge, http, log, provider, answer } = introspectionWorld();
    answer(jsonResponse('no json'));
    await judge('canary&token=other%20+');
    expect(http.sent.map(({ url }) => url)).toEqual([endpoint]);
    const form = new URLSearchParams(http.sent[0]?.request.body);
    expect([...form]).toEqual([
      ['token', 'canary&token=other%20+'],
      ['token_type_hint', 'access_token'],
    ]);
    expect(JSON.stringify([log.lines, provider().status()])).not.toContain('canary');
  });
});

describe('what is remembered', () => {
  test('an answer is for its ttl, and then asked for again', async () => {
    const { verify, judge, http, time, answer, events } = introspectionWorld();
    expect(await judge()).toBe('allow');
    expect(verify()).toMatchObject({ identity: { subject: 'alice' } });
    answer(jsonResponse({ active: false }));
    await time.advance(59_999);
    expect(await judge()).toBe('allow');
    await time.advance(1);
    expect(await judge()).toBe('token_inactive');
    expect(http.sent).toHaveLength(2);
    expect(events).toEqual(['miss', 'active', 'hit', 'hit', 'miss', 'inactive']);
  });

  test('an answer is never beyond the end of its token, whatever the clocks do', async () => {
    const { judge, http, time, answer } = introspectionWorld();
    answer(jsonResponse(goodAnswer({ exp: startSeconds + 10, nbf: startSeconds - 10 })));
    expect(await judge()).toBe('allow');
    await time.advance(9_000);
    expect(await judge()).toBe('allow');
    await time.advance(1_000);
    expect(http.sent).toHaveLength(1);
    // The issuer is asked what it says now: it may have let the token last longer.
    expect(await judge()).toBe('token_expired');
    expect(http.sent).toHaveLength(2);
    // The wall clock alone steps: ahead beyond the end, and back before the beginning.
    for (const [token, seconds, code] of [
      ['a', startSeconds + 20, 'token_expired'],
      ['b', startSeconds - 41, 'token_not_yet_valid'],
    ] as const) {
      time.setWall(startSeconds);
      expect(await judge(token)).toBe('allow');
      time.setWall(seconds);
      expect(await judge(token)).toBe(code);
    }
    // A wall clock that stands still keeps nothing beyond the ttl.
    time.setWall(startSeconds);
    expect(await judge('c')).toBe('allow');
    const asked = http.sent.length;
    await time.advance(60_000);
    time.setWall(startSeconds);
    expect(await judge('c')).toBe('allow');
    expect(http.sent).toHaveLength(asked + 1);
  });

  test('a refusal is for five seconds, and no failure at all', async () => {
    const { judge, http, time, answer } = introspectionWorld();
    answer(jsonResponse({ active: false }));
    expect([await judge(), await judge()]).toEqual(['token_inactive', 'token_inactive']);
    expect(http.sent).toHaveLength(1);
    answer(jsonResponse(goodAnswer()));
    await time.advance(4_999);
    expect(await judge()).toBe('token_inactive');
    await time.advance(1);
    expect(await judge()).toBe('allow');
    answer(jsonResponse('', { status: 500 }));
    expect(await judge('other')).toBe('introspection_unavailable');
    answer(jsonResponse(goodAnswer()));
    expect(await judge('other')).toBe('allow');
  });

  test('nothing is with a ttl of 0s', async () => {
    const { judge, http, answer } = introspectionWorld({ cacheTtl: 0 });
    expect([await judge(), await judge()]).toEqual(['allow', 'allow']);
    answer(jsonResponse({ active: false }));
    expect([await judge(), await judge()]).toEqual(['token_inactive', 'token_inactive']);
    expect(http.sent).toHaveLength(4);
  });

  test('nothing is of one provider for another, nor of one generation for the next, though all else is equal', async () => {
    const first = introspectionWorld();
    expect(await first.judge()).toBe('allow');
    first.answer(jsonResponse({ active: false }));
    for (const changes of [{}, { endpoint: `${endpoint}2` }, { name: 'other' }]) {
      first.http.answerSent(`${endpoint}2`, () => jsonResponse({ active: false }));
      const next = createIntrospectionProvider(introspectionSpec(changes), clientMaterial(), first.ports);
      expect(verdictOf(await next.verify(credentialOf('opaque-1')))).toBe('token_inactive');
    }
    expect(await first.judge()).toBe('allow');
  });
});

describe('a crowd', () => {
  test('with one token asks once', async () => {
    const { judge, http } = introspectionWorld();
    const codes = await Promise.all(Array.from({ length: 100 }, () => judge()));
    expect(new Set(codes)).toEqual(new Set(['allow']));
    expect(http.sent).toHaveLength(1);
  });

  test('with one token asks each for itself where nothing is remembered', async () => {
    const { judge, http } = introspectionWorld({ cacheTtl: 0 });
    await Promise.all(Array.from({ length: 10 }, () => judge()));
    expect(http.sent).toHaveLength(10);
  });

  test('of random tokens has at most 50 questions under way and 500 that wait; the others are 503 at once', async () => {
    const { judge, http, answer, time, events } = introspectionWorld();
    const waiting: (() => void)[] = [];
    answer(() => new Promise((resolve) => waiting.push(() => resolve(jsonResponse({ active: false })))));
    const verdicts = Array.from({ length: 1_000 }, (_, index) => judge(`random-${index}`));
    await settle();
    expect(http.sent).toHaveLength(50);
    expect(events.filter((event) => event === 'skipped')).toHaveLength(450);
    for (const release of waiting.splice(0, 50)) release();
    await settle();
    expect(http.sent).toHaveLength(100);
    // Who waits for a place waits no longer than for an answer.
    await time.advance(2_000);
    for (const release of waiting.splice(0)) release();
    const codes = await Promise.all(verdicts);
    const count = (code: string): number => codes.filter((one) => one === code).length;
    expect([count('token_inactive'), count('introspection_unavailable')]).toEqual([100, 900]);
    // And then all is as before.
    answer(jsonResponse(goodAnswer()));
    expect(await judge('good')).toBe('allow');
  });
});

describe('an endpoint that does not answer', () => {
  const down = (): Promise<HttpResponse> =>
    Promise.reject(new Failure('http_connect', `POST ${endpoint}: ECONNREFUSED`));

  test('is left alone after five failures, tried by one after a pause that doubles, and asked by all when that went well', async () => {
    const { judge, http, answer, time, log, provider } = introspectionWorld();
    answer(down);
    for (let i = 0; i < 5; i++) expect(await judge(`a${i}`)).toBe('introspection_unavailable');
    for (let i = 0; i < 20; i++) expect(await judge(`b${i}`)).toBe('introspection_unavailable');
    expect(http.sent).toHaveLength(5);
    await time.advance(499);
    await judge('before');
    expect(http.sent).toHaveLength(5);
    await time.advance(1);
    await Promise.all([judge('c'), judge('d'), judge('e')]);
    expect(http.sent).toHaveLength(6);
    await time.advance(999);
    await judge('f');
    expect(http.sent).toHaveLength(6);
    answer(jsonResponse(goodAnswer()));
    await time.advance(1);
    expect(await judge('g')).toBe('allow');
    expect(await judge('h')).toBe('allow');
    expect(provider().status()).toEqual({ keys: 0, keyAgeSeconds: undefined, lastError: undefined, isAnswering: true });
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'the issuer gives no answer about tokens'],
      ['info', 'the issuer answers introspection again'],
    ]);
  });

  test('is told again where it fails otherwise, each reason once for a while, and a few of them', async () => {
    const { judge, answer, log, time } = introspectionWorld();
    const statuses = [500, 401, 401, 500];
    for (const [index, status] of statuses.entries()) {
      answer(jsonResponse('', { status }));
      await judge(`a${index}`);
    }
    expect(log.lines).toHaveLength(2);
    expect(new Set(log.lines.map(({ fields }) => JSON.stringify(fields))).size).toBe(2);
    await time.advance(10_000);
    await judge('later');
    expect(log.lines).toHaveLength(3);
  });

  test('takes nothing away from what is remembered, and adds nothing to it', async () => {
    const { judge, answer, time } = introspectionWorld();
    expect(await judge()).toBe('allow');
    answer(down);
    await time.advance(59_000);
    expect(await judge()).toBe('allow');
    await time.advance(1_000);
    expect(await judge()).toBe('introspection_unavailable');
  });

  test('of one refused token is not left alone: it answers for others', async () => {
    const { judge, http, answer, provider } = introspectionWorld();
    answer(jsonResponse('', { status: 400 }));
    for (let i = 0; i < 20; i++) await judge(`bad-${i}`);
    expect(http.sent).toHaveLength(20);
    // From the start it may be that it never answers us, and once it did it is the token.
    expect(provider().status().lastError).toBe(`${endpoint} answers with status 400`);
    answer(jsonResponse(goodAnswer()));
    expect(await judge()).toBe('allow');
    answer(jsonResponse('', { status: 400 }));
    expect(await judge('bad')).toBe('introspection_unavailable');
    expect(provider().status()).toMatchObject({ lastError: undefined, isAnswering: true });
  });

  test('says in its status why, without a query', async () => {
    const { judge, http, provider } = introspectionWorld({ endpoint: `${endpoint}?key=canary` });
    http.answerSent(`${endpoint}?key=canary`, () => jsonResponse('', { status: 500 }));
    await judge();
    expect(provider().status()).toMatchObject({ isAnswering: false, lastError: `${endpoint} answers with status 500` });
  });
});

describe('what is missing', () => {
  test.each<[string, ReturnType<typeof clientMaterial>, object, string]>([
    [
      'the Secret',
      { texts: new Map(), secrets: [] },
      {},
      'the Secret shop/introspection-client or its key client_id is missing',
    ],
    [
      'its client_secret',
      clientMaterial({ client_secret: undefined }),
      {},
      'the Secret shop/introspection-client has no key client_secret',
    ],
    [
      'an end of line too much',
      clientMaterial({ client_secret: 'canary\n' }),
      {},
      'client_secret of the Secret shop/introspection-client is empty, too long, or has a character that is not visible ASCII (a line end, perhaps)',
    ],
    [
      'the certificates',
      clientMaterial(),
      { ca: { namespace: 'shop', name: 'ca', key: 'ca.crt' } },
      'the ConfigMap shop/ca or its key ca.crt is missing',
    ],
  ])(
    '%s: every token is answered with 503, nobody is asked, and the status says what',
    async (_title, material, changes, why) => {
      const { judge, http, provider } = introspectionWorld(changes, material);
      expect(await judge()).toBe('introspection_unavailable');
      expect(http.sent).toEqual([]);
      expect(provider().status()).toEqual({
        keys: 0,
        keyAgeSeconds: undefined,
        lastError: why,
        unusable: why,
        isAnswering: false,
      });
    },
  );

  test('no certificates but those of the ConfigMap are trusted', async () => {
    const { http, judge, ports } = introspectionWorld(
      { ca: { namespace: 'shop', name: 'ca', key: 'ca.crt' } },
      {
        ...clientMaterial(),
        texts: new Map([...clientMaterial().texts, ['ConfigMap shop/ca ca.crt', testCertificate]]),
      },
    );
    const trusted: unknown[] = [];
    const send = ports.http.send.bind(http);
    Object.assign(ports.http, {
      send: (...args: Parameters<typeof send>) => {
        trusted.push(args[2].ca);
        return send(...args);
      },
    });
    expect(await judge()).toBe('allow');
    expect(trusted).toEqual([testCertificate]);
  });
});
