import { afterEach, describe, expect, test } from 'vitest';
import { createAnswerUses } from '../../../src/phases/identity/introspection/answer-uses.ts';
import {
  audience,
  ecKey,
  encode,
  hmacToken,
  issuer,
  rsaKey,
  signText,
  startSeconds,
  type Claims,
  type TestKey,
} from './identity-fixtures.ts';
import {
  clientId,
  clientMaterial,
  goodAnswer,
  introspectionWorld,
  jsonResponse,
  type IntrospectionWorld,
} from './introspection-fixtures.ts';

const key = rsaKey('k1');
const signedType = 'application/token-introspection+jwt';

/** A good signed answer but for the changes; `undefined` takes a member out. */
function signedAnswer(claims: Claims = {}, header: Claims = {}, by: TestKey = key): string {
  const head = { alg: by.alg, kid: by.jwk['kid'], typ: 'token-introspection+jwt', ...header };
  const body = { iss: issuer, aud: clientId, iat: startSeconds, token_introspection: goodAnswer(), ...claims };
  return signText(JSON.stringify(head), JSON.stringify(body), by);
}

let world: IntrospectionWorld | undefined;
afterEach(() => world?.provider().close());

function start(text: string, contentType = signedType): IntrospectionWorld {
  const started = introspectionWorld({ signedAnswers: true, cacheTtl: 0 }, clientMaterial(), [key]);
  started.answer(jsonResponse(text, { contentType }));
  world = started;
  return started;
}

async function judge(text: string, contentType?: string): Promise<string> {
  return start(text, contentType).judge();
}

test('a signed answer (RFC 9701) is asked for, and gives the identity', async () => {
  const started = start(signedAnswer());
  expect(await started.verify()).toMatchObject({ identity: { subject: 'alice', issuer } });
  expect(started.http.sent[0]?.request.headers['accept']).toBe(signedType);
  expect(started.provider().status()).toMatchObject({ keys: 1, lastError: undefined, isAnswering: true });
});

test('says that a token is not active, and what is wrong with one that is', async () => {
  expect(await judge(signedAnswer({ token_introspection: { active: false } }))).toBe('token_inactive');
  expect(await judge(signedAnswer({ token_introspection: goodAnswer({ aud: 'other' }) }))).toBe('token_audience');
  expect(await judge(signedAnswer({ aud: ['other', clientId] }))).toBe('allow');
});

describe('is for one token', () => {
  test('so that the same one for another is refused, within its minute, and the issuer is not held to be away', async () => {
    const started = start(signedAnswer());
    expect(await started.judge('of-alice')).toBe('allow');
    for (let asked = 0; asked < 6; asked++) expect(await started.judge('made-up')).toBe('introspection_unavailable');
    await started.time.advance(59_000);
    expect(await started.judge('made-up')).toBe('introspection_unavailable');
    expect(await started.judge('of-alice')).toBe('allow');
    started.answer(jsonResponse(signedAnswer({ iat: startSeconds + 59 }), { contentType: signedType }));
    expect(await started.judge('made-up')).toBe('allow');
    expect(started.provider().status()).toMatchObject({ lastError: undefined, isAnswering: true });
  });

  test('also with its signature written in another way', async () => {
    const by = ecKey('k1');
    const started = introspectionWorld({ signedAnswers: true, cacheTtl: 0 }, clientMaterial(), [by]);
    world = started;
    const text = signedAnswer({}, {}, by);
    started.answer(jsonResponse(text, { contentType: signedType }));
    expect(await started.judge('of-alice')).toBe('allow');
    started.answer(jsonResponse(otherSpelling(text), { contentType: signedType }));
    expect(await started.judge('of-alice')).toBe('allow');
    expect(await started.judge('made-up')).toBe('introspection_unavailable');
  });

  test('unless it says that none is active, or says something else of the other', async () => {
    const started = start(signedAnswer({ token_introspection: { active: false } }));
    expect([await started.judge('one'), await started.judge('two')]).toEqual(['token_inactive', 'token_inactive']);
    for (const jti of ['a', 'b']) {
      started.answer(jsonResponse(signedAnswer({ jti }), { contentType: signedType }));
      expect(await started.judge(`token-${jti}`)).toBe('allow');
    }
  });

  test('within a bound: where there is no room nothing is believed, until there is', () => {
    const uses = createAnswerUses({ maxEntries: 2, keptMs: 100 });
    expect([uses.isFor('a', 't', 0), uses.isFor('b', 't', 50), uses.isFor('c', 't', 99)]).toEqual([true, true, false]);
    expect([uses.isFor('a', 't', 99), uses.isFor('c', 't', 100), uses.isFor('b', 'u', 149)]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

/** The same ECDSA signature with the other s: n - s verifies as well. */
function otherSpelling(jwt: string): string {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const s = (order - BigInt(`0x${bytes.subarray(32).toString('hex')}`)).toString(16).padStart(64, '0');
  return [header, payload, Buffer.concat([bytes.subarray(0, 32), Buffer.from(s, 'hex')]).toString('base64url')].join(
    '.',
  );
}

const foreign = rsaKey('k1');
const [head = '', body = ''] = signedAnswer().split('.');

describe('is none', () => {
  test.each<[string, string]>([
    ['unsigned (alg none)', `${encode('{"alg":"none","typ":"token-introspection+jwt"}')}.${body}.`],
    [
      'unsigned, with a signature of something',
      `${encode('{"alg":"none","typ":"token-introspection+jwt"}')}.${body}.AAAA`,
    ],
    ['without its signature', `${head}.${body}.`],
    ['plain JSON under its name', JSON.stringify(goodAnswer())],
    ['encrypted', `${head}.${body}.${body}.${body}.${body}`],
    [
      'signed with an HMAC of the public key',
      hmacToken({ alg: 'HS256', typ: 'token-introspection+jwt' }, { iss: issuer }, JSON.stringify(key.jwk)),
    ],
    ['signed by another key under the same id', signedAnswer({}, {}, foreign)],
    ['signed by a key that the issuer does not have', signedAnswer({}, {}, ecKey('k2'))],
    ['of another typ: an access token', signedAnswer({}, { typ: 'at+jwt' })],
    ['of typ JWT', signedAnswer({}, { typ: 'JWT' })],
    ['of no typ', signedAnswer({}, { typ: undefined })],
    ['with crit', signedAnswer({}, { crit: ['x'] })],
    ['of another issuer', signedAnswer({ iss: `${issuer}/` })],
    ['of no issuer', signedAnswer({ iss: undefined })],
    ['for another client', signedAnswer({ aud: 'other' })],
    ['for the audience of the token', signedAnswer({ aud: audience })],
    ['for nobody', signedAnswer({ aud: undefined })],
    ['of no time', signedAnswer({ iat: undefined })],
    ['of a time that is text', signedAnswer({ iat: String(startSeconds) })],
    ['of an hour ago', signedAnswer({ iat: startSeconds - 3_600 })],
    ['of tomorrow', signedAnswer({ iat: startSeconds + 86_400 })],
    ['without token_introspection', signedAnswer({ token_introspection: undefined })],
    ['with a list as token_introspection', signedAnswer({ token_introspection: [goodAnswer()] })],
    [
      'with active beside token_introspection',
      signedAnswer({ token_introspection: goodAnswer({ active: undefined }), active: true }),
    ],
  ])('%s', async (_title, text) => {
    expect(await judge(text)).toBe('introspection_unavailable');
    expect(await judge(signedAnswer())).toBe('allow');
  });

  test('plain, though all it says is right: what must be signed is never taken unsigned', async () => {
    expect(await judge(JSON.stringify(goodAnswer()), 'application/json')).toBe('introspection_unavailable');
  });

  test('without the keys of the issuer', async () => {
    const other = introspectionWorld({ signedAnswers: true }, clientMaterial(), []);
    other.answer(jsonResponse(signedAnswer(), { contentType: signedType }));
    expect(await other.judge()).toBe('introspection_unavailable');
    other.provider().close();
  });
});
