import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import type { ReasonCode } from '../../../src/core/reason.ts';
import { compileAuthentication } from '../../../src/phases/identity/authenticate.ts';
import { createDpop } from '../../../src/phases/identity/dpop/dpop.ts';
import { createJwtProvider } from '../../../src/phases/identity/jwt/jwt-provider.ts';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import type { JwtProviderSpec } from '../../../src/policy/provider-spec.ts';
import { boundToken, judge, proofOf, publicJwk, unsigned, withProof, type ProofChanges } from './dpop-fixtures.ts';
import {
  createWorld,
  ecKey,
  edKey,
  encode,
  hmacToken,
  jwtSpec,
  requestOf,
  rsaKey,
  signText,
  startSeconds,
  tokenOf,
  verdictOf,
  type RequestParts,
  type TestKey,
  type World,
} from './identity-fixtures.ts';

const issuerKey = rsaKey('k1');
const holder = ecKey('client');
const stranger = ecKey('stranger');

let world: World;
let provider: MessageProvider;
let token: string;

async function start(changes: Partial<JwtProviderSpec> = {}): Promise<void> {
  provider?.close();
  world = createWorld([issuerKey]);
  provider = world.provider(changes);
  await provider.firstLoad;
  token = await boundToken(issuerKey, holder);
}

beforeEach(() => start());
afterEach(() => provider.close());

const ask = async (proof: string | undefined, parts?: RequestParts): Promise<string> =>
  verdictOf(await judge(provider, withProof(token, proof, parts)));
const good = (changes?: ProofChanges): string => proofOf(holder, token, changes);

describe('a token that is bound to a key (RFC 9449)', () => {
  test('passes with a proof, and the second time out of the cache with another proof', async () => {
    expect(await ask(good())).toBe('allow');
    expect(await ask(good())).toBe('allow');
    expect(world.events.filter((event) => event === 'hit' || event === 'miss')).toEqual(['miss', 'hit']);
  });

  test.each([
    ['RSA', rsaKey('r', 2048, 'RS256')],
    ['RSA-PSS', rsaKey('r', 2048, 'PS256')],
    ['P-384', ecKey('e', 'ES384', 'P-384')],
    ['Ed25519', edKey('d')],
  ])('passes with a proof of a key of %s', async (_name, key: TestKey) => {
    const bound = await boundToken(issuerKey, key);
    expect(verdictOf(await judge(provider, withProof(bound, proofOf(key, bound))))).toBe('allow');
  });

  test('as Bearer it is refused, with and without a proof (RFC 9449 7.2)', async () => {
    for (const proof of [[], [['dpop', good()] as const]]) {
      const request = requestOf({ headers: [['authorization', `Bearer ${token}`], ...proof] });
      expect(await judge(provider, request)).toMatchObject({ denial: { code: 'token_binding' } });
    }
    expect(await ask(good())).toBe('allow');
  });

  test('one that is not bound is refused with the scheme DPoP, and passes as Bearer', async () => {
    token = tokenOf(issuerKey);
    expect(await ask(good())).toBe('token_binding');
    expect(verdictOf(await judge(provider, requestOf({ headers: [['authorization', `Bearer ${token}`]] })))).toBe(
      'allow',
    );
  });

  test('a jkt that is no thumbprint proves nothing', async () => {
    for (const jkt of ['', 'x', 7, null, ['a'], { a: 1 }]) {
      token = tokenOf(issuerKey, { cnf: { jkt } });
      expect(await ask(good())).toBe('token_binding');
    }
    token = await boundToken(issuerKey, holder);
    expect(await ask(good())).toBe('allow');
  });

  test('one that is bound to a certificate too is refused without it, whatever the proof', async () => {
    const { cnf } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { cnf: object };
    token = tokenOf(issuerKey, { cnf: { ...cnf, 'x5t#S256': 'a'.repeat(43) } });
    expect(await ask(good())).toBe('token_binding');
    token = tokenOf(issuerKey, { cnf });
    expect(await ask(good())).toBe('allow');
  });

  test('a method beside jkt that nobody knows is refused', async () => {
    token = await boundToken(issuerKey, holder, {});
    expect(await ask(good())).toBe('allow');
    token = tokenOf(issuerKey, { cnf: { jkt: 'a'.repeat(43), other: 'x' } });
    expect(await ask(good())).toBe('token_binding');
  });
});

/** Each breaks one thing of a good proof. */
const broken: readonly (readonly [check: string, proof: () => string | undefined, code: ReasonCode])[] = [
  ['1 no proof', () => undefined, 'dpop_proof'],
  ['1 two proofs in one field', () => `${good()},${good()}`, 'dpop_proof'],
  ['2 an empty proof', () => '', 'dpop_proof'],
  ['2 no JWT', () => 'proof', 'dpop_proof'],
  ['2 five parts', () => 'a.b.c.d.e', 'dpop_proof'],
  ['2 a space in it', () => ` ${good()}`.replace('.', '. '), 'dpop_proof'],
  ['2 too long', () => good({ claims: { x: 'x'.repeat(8000) } }), 'dpop_proof'],
  ['2 a member twice', () => signText('{"typ":"dpop+jwt","typ":"x"}', '{}', holder), 'dpop_proof'],
  ['2 no UTF-8', () => `${encode(new Uint8Array([0x7b, 0xff]))}.e30.e30`, 'dpop_proof'],
  ...['jti', 'htm', 'htu', 'iat', 'ath'].flatMap((name) =>
    [undefined, null, ['x'], { a: 1 }, ''].map(
      (value) =>
        [`3 ${name} is ${JSON.stringify(value)}`, () => good({ claims: { [name]: value } }), 'dpop_proof'] as const,
    ),
  ),
  ['3 a jti beyond 512 characters', () => good({ claims: { jti: 'x'.repeat(513) } }), 'dpop_proof'],
  ['4 no typ', () => good({ header: { typ: undefined } }), 'dpop_proof'],
  ['4 another typ', () => good({ header: { typ: 'JWT' } }), 'dpop_proof'],
  ['5 alg none', () => unsigned({ typ: 'dpop+jwt', alg: 'none', jwk: publicJwk(holder) }, {}), 'dpop_proof'],
  ['5 alg none with a signature', () => good({ header: { alg: 'none' } }), 'dpop_proof'],
  [
    '5 an HMAC with the public key as the secret',
    () => hmacToken({ typ: 'dpop+jwt', alg: 'HS256', jwk: publicJwk(holder) }, {}, JSON.stringify(publicJwk(holder))),
    'dpop_proof',
  ],
  ['5 an algorithm of another key', () => good({ header: { alg: 'RS256' } }), 'dpop_proof'],
  ['5 an extension', () => good({ header: { crit: ['x'], x: 1 } }), 'dpop_proof'],
  ['5 b64', () => good({ header: { b64: false } }), 'dpop_proof'],
  ['6 signed with another key', () => good({ signedWith: stranger }), 'dpop_proof'],
  ['7 no jwk', () => good({ header: { jwk: undefined } }), 'dpop_proof'],
  ['7 a private key', () => good({ header: { jwk: { ...publicJwk(holder), d: 'AAAA' } } }), 'dpop_proof'],
  ['7 a symmetric key', () => good({ header: { jwk: { kty: 'oct', k: 'AAAA' } } }), 'dpop_proof'],
  ['7 a key for encryption', () => good({ header: { jwk: { ...publicJwk(holder), use: 'enc' } } }), 'dpop_proof'],
  ['8 another method', () => good({ claims: { htm: 'POST' } }), 'dpop_proof'],
  ['8 the method in lower case', () => good({ claims: { htm: 'get' } }), 'dpop_proof'],
  ['9 another path', () => good({ claims: { htu: 'https://shop.example/order' } }), 'dpop_proof'],
  ['9 a slash at the end', () => good({ claims: { htu: 'https://shop.example/orders/' } }), 'dpop_proof'],
  ['9 another host', () => good({ claims: { htu: 'https://evil.example/orders' } }), 'dpop_proof'],
  ['11 older than 300 s', () => good({ claims: { iat: startSeconds - 301 } }), 'dpop_proof'],
  ['11 more than 60 s ahead', () => good({ claims: { iat: startSeconds + 61 } }), 'dpop_proof'],
  ['11 an iat that is a text', () => good({ claims: { iat: String(startSeconds) } }), 'dpop_proof'],
  ['11 past its own exp', () => good({ claims: { exp: startSeconds - 60 } }), 'dpop_proof'],
  ['11 before its own nbf', () => good({ claims: { nbf: startSeconds + 61 } }), 'dpop_proof'],
  ['12 the hash of another token', () => proofOf(holder, `${token}x`), 'dpop_proof'],
  ['12 the key of somebody else', () => proofOf(stranger, token), 'token_binding'],
];

describe('the twelve checks of RFC 9449 4.3, each between two good proofs', () => {
  beforeEach(async () => expect(await ask(good())).toBe('allow'));

  test.each(broken.map(([name, proof, code]) => ({ name, proof, code })))('$name', async ({ proof, code }) => {
    expect(await ask(proof())).toBe(code);
    expect(await ask(good())).toBe('allow');
  });

  test('1 two proofs in two fields', async () => {
    expect(await ask(good(), { headers: [['dpop', good()]] })).toBe('dpop_proof');
  });

  test('2 a proof that is not text', async () => {
    const headers = [{ name: 'dpop', value: good(), isText: false }];
    expect(await ask(undefined, { headers })).toBe('dpop_proof');
  });

  test('6 a point that is not on its curve: the token would have to be bound to it', async () => {
    const jwk = { ...publicJwk(holder), x: encode(new Uint8Array(32).fill(1)) };
    const { calculateJwkThumbprint } = await import('jose');
    token = tokenOf(issuerKey, { cnf: { jkt: await calculateJwkThumbprint(jwk) } });
    expect(await ask(good({ header: { jwk } }))).toBe('dpop_proof');
  });

  test('7 an RSA key below 2048 bits', async () => {
    const weak = rsaKey('weak', 1024);
    token = await boundToken(issuerKey, weak);
    expect(await ask(proofOf(weak, token))).toBe('dpop_proof');
  });

  test('11 as old and as far ahead as may be', async () => {
    for (const iat of [startSeconds - 300, startSeconds + 60, startSeconds - 0.5])
      expect(await ask(good({ claims: { iat } }))).toBe('allow');
  });

  test('members that nobody knows are passed over', async () => {
    expect(await ask(good({ claims: { iss: 'client', aud: 'x' }, header: { kid: 'x' } }))).toBe('allow');
  });
});

test('the example of RFC 9449 7.1: its proof, its token hash, its key', async () => {
  const proof =
    'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA';
  const question = {
    token: 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU',
    jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I',
    nonce: 'Never',
    isShadow: false,
  } as const;
  world.time.setWall(1_562_262_618);
  const { dpop } = world.ports;
  const parts = { host: 'resource.example.org', target: '/protectedresource', headers: [['dpop', proof]] } as const;
  expect(await dpop.prove({ ...question, request: requestOf({ ...parts, method: 'POST' }) })).toMatchObject({
    code: 'dpop_proof',
  });
  expect(await dpop.prove({ ...question, request: requestOf(parts) })).toBe(undefined);
  expect(await dpop.prove({ ...question, request: requestOf(parts) })).toMatchObject({ code: 'dpop_replayed' });
});

describe('a proof is used once', () => {
  test('the second request with it is refused, at once and together, also with its host written otherwise', async () => {
    const proof = good();
    // Signatures are verified in threads: which of the two is the first is not said.
    const both = await Promise.all([ask(proof), ask(proof)]);
    expect(both.toSorted()).toEqual(['allow', 'dpop_replayed']);
    expect(await ask(proof, { host: 'SHOP.example:443' })).toBe('dpop_replayed');
    expect(await ask(good())).toBe('allow');
  });

  test('until it could not be accepted any more, and after it is too old', async () => {
    const proof = good({ claims: { iat: startSeconds + 60 } });
    expect(await ask(proof)).toBe('allow');
    await world.time.advance(359_000);
    expect(await ask(proof)).toBe('dpop_replayed');
    await world.time.advance(2_000);
    expect(await ask(proof)).toBe('dpop_proof');
  });

  test('also when the clock was set back in between, by up to a minute', async () => {
    const proof = good();
    expect(await ask(proof)).toBe('allow');
    await world.time.advance(359_000);
    world.time.setWall(startSeconds + 299);
    expect(await ask(proof)).toBe('dpop_replayed');
  });

  test('a proof that is refused uses nothing up', async () => {
    const claims = { jti: 'one' };
    expect(await ask(good({ claims, signedWith: stranger }))).toBe('dpop_proof');
    expect(await ask(good({ claims }))).toBe('allow');
  });

  test('two clients may choose one jti, and one client may for two URIs', async () => {
    const claims = { jti: 'one' };
    expect(await ask(good({ claims }))).toBe('allow');
    const elsewhere = { ...claims, htu: 'https://shop.example/other' };
    expect(await ask(good({ claims: elsewhere }), { target: '/other' })).toBe('allow');
    token = await boundToken(issuerKey, stranger);
    expect(await ask(proofOf(stranger, token, { claims }))).toBe('allow');
  });

  test('rules and providers that judge one request use its proof once', async () => {
    const other = world.provider({ name: 'twin' });
    await other.firstLoad;
    const request = withProof(token, good());
    expect(verdictOf(await judge(provider, request))).toBe('allow');
    expect(verdictOf(await judge(other, request))).toBe('allow');
    expect(verdictOf(await judge(provider, request))).toBe('allow');
    other.close();
  });

  test('S9 a policy that only watches uses nothing up', async () => {
    const proof = good();
    const watch = compileAuthentication([provider]);
    expect(verdictOf(await watch(withProof(token, proof), 'shop', { isShadow: true }))).toBe('allow');
    expect(await ask(proof)).toBe('allow');
  });

  test('where the store is full a new proof is denied with 503, and one that was used still is', async () => {
    const store = { known: new Set<string>() };
    const dpop = createDpop({
      ...world.ports,
      nonceKey: 'k',
      replays: {
        remember: (key) => {
          if (store.known.has(key)) return false;
          if (store.known.size > 0) return Promise.reject(new Failure('store_unavailable', 'full'));
          store.known.add(key);
          return true;
        },
      },
    });
    const crowded = createJwtProvider(jwtSpec(), { keysText: undefined, ca: undefined }, { ...world.ports, dpop });
    await crowded.firstLoad;
    const first = good();
    const verdicts = [];
    for (const proof of [first, good(), good(), first]) verdicts.push(await judge(crowded, withProof(token, proof)));
    expect(verdicts.map(verdictOf)).toEqual(['allow', 'store_unavailable', 'store_unavailable', 'dpop_replayed']);
    expect(verdicts[1]).toMatchObject({ denial: { challenges: [] } });
    expect(world.log.lines.map(({ level }) => level)).toEqual(['error']);
    crowded.close();
  });
});

describe('binding.dpop', () => {
  test('Required takes bound tokens alone', async () => {
    await start({ binding: { certificate: 'IfBound', dpop: 'Required' } });
    expect(await ask(good())).toBe('allow');
    const unbound = requestOf({ headers: [['authorization', `Bearer ${tokenOf(issuerKey)}`]] });
    expect(await judge(provider, unbound)).toMatchObject({ denial: { code: 'token_binding' } });
    token = tokenOf(issuerKey);
    expect(await ask(good())).toBe('token_binding');
  });

  test('Ignore takes a bound token as Bearer and looks at no proof; the scheme DPoP is none of its places', async () => {
    await start({ binding: { certificate: 'IfBound', dpop: 'Ignore' } });
    const headers = [
      ['authorization', `Bearer ${token}`],
      ['dpop', 'nonsense'],
    ] as const;
    expect(verdictOf(await judge(provider, requestOf({ headers })))).toBe('allow');
    expect(await ask(good())).toBe('credential_missing');
  });

  test('a bound token in a place without a scheme is refused: nothing says that it is proven', async () => {
    await start({ from: [{ in: 'cookie', name: 't' }] });
    const headers = [
      ['cookie', `t=${token}`],
      ['dpop', good()],
    ] as const;
    expect(verdictOf(await judge(provider, requestOf({ headers })))).toBe('token_binding');
    const plain = requestOf({ headers: [['cookie', `t=${tokenOf(issuerKey)}`]] });
    expect(verdictOf(await judge(provider, plain))).toBe('allow');
  });
});

describe('nonces (RFC 9449 section 9)', () => {
  beforeEach(() => start({ dpopNonce: 'Required' }));

  async function nonceFrom(proof: string): Promise<string> {
    const result = await judge(provider, withProof(token, proof));
    if (!('denial' in result) || result.denial.code !== 'dpop_nonce') throw new Error(verdictOf(result));
    expect(result.denial.challenges[1]).toMatch(/^DPoP realm="shop", error="use_dpop_nonce", /);
    const [[name, nonce] = []] = result.denial.headers ?? [];
    expect([name, nonce]).toEqual(['dpop-nonce', expect.stringMatching(/^[A-Za-z0-9_-]{22}$/)]);
    return nonce ?? '';
  }

  test('a proof without one gets one, with which the next passes', async () => {
    const nonce = await nonceFrom(good());
    expect(await ask(good({ claims: { nonce } }))).toBe('allow');
    expect(await ask(good({ claims: { nonce } }))).toBe('allow');
  });

  test.each([['another'], [''], [7], [null]])('%j is none', async (nonce) => {
    expect(['dpop_nonce', 'dpop_proof']).toContain(await ask(good({ claims: { nonce } })));
  });

  test('it is good for two slots of time; in the second the answer brings the next one', async () => {
    const nonce = await nonceFrom(good());
    await world.time.advance(150_000);
    const iat = startSeconds + 150;
    const late = await judge(provider, withProof(token, good({ claims: { nonce, iat } })));
    expect(verdictOf(late)).toBe('allow');
    const fresh = 'identity' in late ? late.responseHeaders?.[0]?.[1] : undefined;
    expect(fresh).not.toBe(nonce);
    const next = await judge(provider, withProof(token, good({ claims: { nonce: fresh, iat } })));
    expect([verdictOf(next), 'identity' in next && next.responseHeaders]).toEqual(['allow', undefined]);
    await world.time.advance(150_000);
    expect(await ask(good({ claims: { nonce, iat } }))).toBe('dpop_nonce');
    expect(await ask(good({ claims: { nonce: fresh, iat } }))).toBe('allow');
  });

  test("replicas with one key take each other's, those with another do not", async () => {
    const nonce = await nonceFrom(good());
    const replica = (nonceKey: string): MessageProvider =>
      createJwtProvider(
        jwtSpec({ dpopNonce: 'Required' }),
        { keysText: undefined, ca: undefined },
        { ...world.ports, dpop: createDpop({ ...world.ports, nonceKey, replays: { remember: () => true } }) },
      );
    const [twin, other] = [replica('a key of the tests alone'), replica('another key')];
    await Promise.all([twin.firstLoad, other.firstLoad]);
    const request = (): ReturnType<typeof withProof> => withProof(token, good({ claims: { nonce } }));
    expect(verdictOf(await judge(twin, request()))).toBe('allow');
    expect(verdictOf(await judge(other, request()))).toBe('dpop_nonce');
    twin.close();
    other.close();
  });
});
