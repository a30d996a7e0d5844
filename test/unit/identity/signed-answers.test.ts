import { afterEach, describe, expect, test } from 'vitest';
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
