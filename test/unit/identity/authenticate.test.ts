import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileAuthentication, type Authenticate } from '../../../src/phases/identity/authenticate.ts';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import {
  bearer,
  createWorld,
  issuer,
  requestOf,
  rsaKey,
  tokenOf,
  verdictOf,
  type RequestParts,
  type World,
} from './identity-fixtures.ts';

const key = rsaKey('k1');
const otherIssuer = 'https://other.example';
const algs = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA';
const dpop = `DPoP realm="shop", algs="${algs}"`;

let world: World;
let okta: MessageProvider;
let other: MessageProvider;

beforeAll(async () => {
  world = createWorld([key]);
  world.http.answer('https://other.example/keys', { keys: [key.jwk] });
  okta = world.provider();
  other = world.provider({
    name: 'other',
    issuer: otherIssuer,
    keys: { type: 'URI', uri: 'https://other.example/keys' },
    from: [bearer, { in: 'header', name: 'x-token', scheme: undefined }, { in: 'cookie', name: 'sid' }],
  });
  await Promise.all([okta.firstLoad, other.firstLoad]);
});

afterAll(() => {
  okta.close();
  other.close();
});

function withToken(token: string): RequestParts {
  return { headers: [['authorization', `Bearer ${token}`]] };
}

async function ask(authenticate: Authenticate, parts: RequestParts, realm = 'shop'): Promise<unknown> {
  const result = await authenticate(requestOf(parts), realm);
  return 'identity' in result ? result.identity.provider : result.denial;
}

describe('S17: which provider judges a credential', () => {
  test("the one whose issuer is the token's iss, among those of the place", async () => {
    const authenticate = compileAuthentication([okta, other]);
    expect(await ask(authenticate, withToken(tokenOf(key)))).toBe('okta');
    expect(await ask(authenticate, withToken(tokenOf(key, { iss: otherIssuer })))).toBe('other');
    expect(await ask(authenticate, { headers: [['x-token', tokenOf(key, { iss: otherIssuer })]] })).toBe('other');
    expect(verdictOf(await authenticate(requestOf({ headers: [['x-token', tokenOf(key)]] }), 'shop'))).toBe(
      'token_issuer',
    );
  });

  test('none: 401 without any call', async () => {
    const authenticate = compileAuthentication([okta, other]);
    const calls = world.http.calls.length;
    for (const iss of ['https://evil.example', undefined, 7, `${issuer}/`]) {
      const result = authenticate(requestOf(withToken(tokenOf(key, { iss }, { kid: 'new' }))), 'shop');
      expect(result).not.toBeInstanceOf(Promise);
      expect(verdictOf(await result)).toBe('token_issuer');
    }
    expect(world.http.calls).toHaveLength(calls);
  });

  test('two of one issuer deny its tokens rather than choose, in one place or in two', async () => {
    const twin = world.provider({ name: 'twin', audiences: ['https://elsewhere'] });
    const apart = world.provider({ name: 'apart', from: [{ in: 'cookie', name: 'apart' }] });
    await Promise.all([twin.firstLoad, apart.firstLoad]);
    for (const providers of [
      [okta, twin, other],
      [twin, okta, other],
      [okta, apart, other],
    ]) {
      const authenticate = compileAuthentication(providers);
      expect(await ask(authenticate, withToken(tokenOf(key)))).toEqual({
        code: 'provider_unavailable',
        message: 'Two identity providers of the rule take the same credential.',
        challenges: [],
      });
      // The control: another issuer has one judge still.
      expect(await ask(authenticate, withToken(tokenOf(key, { iss: otherIssuer })))).toBe('other');
    }
    twin.close();
    apart.close();
  });

  test('a token that is none is malformed, also where it would have to be read to choose; too long is too long', async () => {
    const authenticate = compileAuthentication([okta, other]);
    expect(verdictOf(await authenticate(requestOf(withToken('opaque')), 'shop'))).toBe('token_malformed');
    expect(verdictOf(await authenticate(requestOf(withToken('x'.repeat(20_000))), 'shop'))).toBe('token_too_large');
  });

  test('what is no token at all is said to be so, whoever would have judged it', async () => {
    const twin = world.provider({ name: 'twin', audiences: ['https://elsewhere'] });
    await twin.firstLoad;
    const good = tokenOf(key);
    for (const providers of [[okta], [okta, other], [okta, twin, other]]) {
      const authenticate = compileAuthentication(providers);
      for (const token of [`${good}!`, `${good} `, `${good}"`, `${good}\u00e9`, '%', 'a"b', '"'.repeat(20_000)]) {
        expect(await authenticate(requestOf(withToken(token)), 'shop')).toEqual({
          denial: expect.objectContaining({
            code: 'token_malformed',
            message: 'The scheme is not followed by one token.',
          }),
        });
      }
      // The control: a token of the right characters is somebody's to judge.
      expect(verdictOf(await authenticate(requestOf(withToken(`${good}==`)), 'shop'))).toBe('token_malformed');
      expect(await ask(authenticate, withToken('opaque'))).not.toMatchObject({
        message: 'The scheme is not followed by one token.',
      });
    }
    expect(await ask(compileAuthentication([okta]), withToken(good))).toBe('okta');
    twin.close();
  });

  test('without providers there is never an identity', async () => {
    expect(verdictOf(await compileAuthentication([])(requestOf(withToken(tokenOf(key))), 'shop'))).toBe(
      'credential_missing',
    );
  });

  test('a place with a scheme and one for the whole value of the same header see one credential', async () => {
    const from = [{ in: 'header', name: 'authorization', scheme: undefined }] as const;
    const whole = world.provider({ name: 'whole', issuer: otherIssuer, from });
    await whole.firstLoad;
    const authenticate = compileAuthentication([whole, okta]);
    expect(await ask(authenticate, withToken(tokenOf(key)))).toBe('okta');
    expect(await ask(authenticate, { headers: [['authorization', tokenOf(key, { iss: otherIssuer })]] })).toBe('whole');
    whole.close();
  });

  test('schemes are compared in any case over all providers: `bearer` and `Bearer` are one place', async () => {
    const lower = world.provider({ name: 'lower', issuer: otherIssuer, from: [{ ...bearer, scheme: 'bearer' }] });
    await lower.firstLoad;
    expect(await ask(compileAuthentication([okta, lower]), withToken(tokenOf(key)))).toBe('okta');
    lower.close();
  });

  test('two schemes of one header are two places, and one header holds one', async () => {
    const jwt = world.provider({ name: 'jwt', issuer: otherIssuer, from: [{ ...bearer, scheme: 'JWT' }] });
    await jwt.firstLoad;
    const authenticate = compileAuthentication([okta, jwt]);
    const headers = [['authorization', `JWT ${tokenOf(key, { iss: otherIssuer })}`]] as const;
    expect(await ask(authenticate, { headers })).toBe('jwt');
    expect(await ask(authenticate, {})).toMatchObject({
      challenges: ['Bearer realm="shop"', dpop, 'JWT realm="shop"'],
    });
    jwt.close();
  });
});

describe('S29: what a denial tells the client', () => {
  test('no credential: a challenge without an error code', async () => {
    expect(await ask(compileAuthentication([okta]), {})).toEqual({
      code: 'credential_missing',
      message: 'The rule needs an identity and the request carries no credential.',
      challenges: ['Bearer realm="shop"', dpop],
    });
  });

  test('a bad token: invalid_token, at once and after waiting for a signature alike', async () => {
    const authenticate = compileAuthentication([okta]);
    expect(await ask(authenticate, withToken(tokenOf(key, { exp: 1 })))).toEqual({
      code: 'token_expired',
      message: 'The token is past its end.',
      challenges: ['Bearer realm="shop", error="invalid_token", error_description="The token is past its end."', dpop],
    });
    expect(await ask(authenticate, withToken(tokenOf(rsaKey('k1'))))).toEqual({
      code: 'token_signature',
      message: 'The signature of the token is not right.',
      challenges: [
        'Bearer realm="shop", error="invalid_token", error_description="The signature of the token is not right."',
        dpop,
      ],
    });
  });

  test('two credentials: invalid_request', async () => {
    const authenticate = compileAuthentication([other]);
    expect(
      await ask(authenticate, {
        headers: [
          ['authorization', 'Bearer x'],
          ['cookie', 'sid=y'],
        ],
      }),
    ).toMatchObject({
      code: 'credential_ambiguous',
      challenges: [
        'Bearer realm="shop", error="invalid_request", error_description="The request carries more than one credential."',
        dpop,
      ],
    });
  });

  test('our own outage: no challenge', async () => {
    const dark = createWorld([]).provider({ ca: { namespace: 'shop', name: 'ca', key: 'ca' } });
    expect(await ask(compileAuthentication([dark]), withToken(tokenOf(key)))).toEqual({
      code: 'keys_unavailable',
      message: 'The keys of the issuer could not be loaded.',
      challenges: [],
    });
    dark.close();
  });

  test('a realm cannot break out of its quotes', async () => {
    expect(await ask(compileAuthentication([okta]), {}, 'a"b\\c\r\nx: y\u00e9')).toMatchObject({
      challenges: ['Bearer realm="a\'b?c??x: y?"', `DPoP realm="a'b?c??x: y?", algs="${algs}"`],
    });
  });

  test('where no place is a header with a scheme the challenge is Bearer', async () => {
    const cookie = world.provider({ from: [{ in: 'cookie', name: 'sid' }] });
    await cookie.firstLoad;
    expect(await ask(compileAuthentication([cookie]), {})).toMatchObject({ challenges: ['Bearer realm="shop"'] });
    cookie.close();
  });
});
