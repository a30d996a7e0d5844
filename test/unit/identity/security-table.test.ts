import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { reasons, type ReasonCode } from '../../../src/core/reason.ts';
import { compileAuthentication } from '../../../src/phases/identity/authenticate.ts';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import type { JwtProviderSpec } from '../../../src/policy/provider-spec.ts';
import {
  audience,
  createWorld,
  ecKey,
  edKey,
  encode,
  goodClaims,
  hmacToken,
  issuer,
  jwksUri,
  present,
  requestOf,
  rsaKey,
  signText,
  startSeconds,
  tokenOf,
  verdictOf,
  type RequestParts,
  type World,
} from './identity-fixtures.ts';

const rsa = rsaKey('rsa-1');
const ec = ecKey('ec-1');
const ed = edKey('ed-1');
const stranger = rsaKey('rsa-1');
const strangerEc = ecKey('ec-1');

let world: World;
let provider: MessageProvider;

/** Every row of a table runs between two good tokens of the same provider: a service that denies everything fails here. */
async function between(run: () => Promise<void>, changes: Partial<JwtProviderSpec> = {}): Promise<void> {
  world = createWorld([rsa, ec, ed]);
  provider = world.provider(changes);
  await provider.firstLoad;
  expect(await present(provider, tokenOf(rsa, { jti: 'before', client_id: 'web' }, { typ: 'at+jwt' }))).toBe('allow');
  await run();
  expect(await present(provider, tokenOf(rsa, { jti: 'after', client_id: 'web' }, { typ: 'at+jwt' }))).toBe('allow');
}

afterEach(() => provider?.close());

type Row = readonly [attack: string, token: () => string, expected: ReasonCode | 'allow', status: 401 | 200];

function header(changes: object): string {
  return JSON.stringify({ alg: 'RS256', kid: 'rsa-1', typ: 'JWT', ...changes });
}

function payload(changes: object): string {
  return JSON.stringify(goodClaims({ ...changes }));
}

/** The good payload with a piece of text in place of `"exp":…`. */
function payloadWithExp(text: string): string {
  return payload({ exp: 'EXP' }).replace('"EXP"', text);
}

/** The token with its signature replaced. */
function withSignature(token: string, change: (signature: Buffer) => string | Buffer): string {
  const end = token.lastIndexOf('.') + 1;
  const changed = change(Buffer.from(token.slice(end), 'base64url'));
  return token.slice(0, end) + (typeof changed === 'string' ? changed : encode(changed));
}

function withoutSignature(headerText: string): string {
  return `${encode(headerText)}.${encode(payload({}))}.`;
}

const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');

const algorithmRows: readonly Row[] = [
  ['alg none with an empty signature', () => withoutSignature(header({ alg: 'none' })), 'token_malformed', 401],
  ['alg None', () => signText(header({ alg: 'None' }), payload({}), rsa), 'token_algorithm', 401],
  ['alg nOnE', () => signText(header({ alg: 'nOnE' }), payload({}), rsa), 'token_algorithm', 401],
  [
    'alg none with a foreign signature',
    () => signText(header({ alg: 'none' }), payload({}), rsa),
    'token_algorithm',
    401,
  ],
  ['two parts', () => tokenOf(rsa).slice(0, tokenOf(rsa).lastIndexOf('.')), 'token_malformed', 401],
  ['alg RS256 with an empty signature', () => withoutSignature(header({})), 'token_malformed', 401],
  ['alg missing', () => signText(header({ alg: undefined }), payload({}), rsa), 'token_algorithm', 401],
  ['alg not a string', () => signText(header({ alg: ['RS256'] }), payload({}), rsa), 'token_algorithm', 401],
  ...(['pem', 'der', 'jwk', 'n'] as const).map((form): Row => [
    `RS to HS confusion with the ${form} of the public key`,
    () => hmacToken({ alg: 'HS256', kid: 'rsa-1' }, goodClaims(), publicForm(form)),
    'token_algorithm',
    401,
  ]),
  [
    'alg not allowed by the provider',
    () => signText(header({ alg: 'RS512' }), payload({}), rsa, 'RS512'),
    'token_algorithm',
    401,
  ],
  ['JWK alg mismatch', () => signText(header({ alg: 'PS256' }), payload({}), rsa, 'PS256'), 'token_key', 401],
  ['crv mismatch', () => signText(header({ alg: 'ES384', kid: 'ec-1' }), payload({}), ec, 'ES384'), 'token_key', 401],
  ['control: ES256', () => tokenOf(ec), 'allow', 200],
  ['control: EdDSA', () => tokenOf(ed), 'allow', 200],
];

function publicForm(form: 'pem' | 'der' | 'jwk' | 'n'): string | Buffer {
  switch (form) {
    case 'pem':
      return rsa.publicKey.export({ format: 'pem', type: 'spki' });
    case 'der':
      return rsa.publicKey.export({ format: 'der', type: 'spki' });
    case 'jwk':
      return JSON.stringify(rsa.jwk);
    case 'n':
      return Buffer.from(String(rsa.jwk['n']), 'base64url');
  }
}

const strangerPublic = stranger.publicKey.export({ format: 'jwk' });

const headerRows: readonly Row[] = [
  ...['../../../dev/null', "x' OR '1'='1", '$(id)', 'https://evil.example/k', 'rsa-1\0', '__proto__', ''].map(
    (kid): Row => [`kid injection ${JSON.stringify(kid)}`, () => tokenOf(rsa, {}, { kid }), 'token_key', 401],
  ),
  ...[7, null, ['rsa-1'], { toString: 'rsa-1' }, true].map((kid): Row => [
    `kid ${JSON.stringify(kid)}`,
    () => tokenOf(rsa, {}, { kid }),
    'token_malformed',
    401,
  ]),
  ['kid of another key', () => tokenOf(rsa, {}, { kid: 'ec-1' }), 'token_key', 401],
  ['no kid, several keys', () => tokenOf(ec, {}, { kid: undefined }), 'allow', 200],
  ['no kid, foreign key', () => tokenOf(strangerEc, {}, { kid: undefined }), 'token_signature', 401],
  ['foreign key under a known kid', () => tokenOf(stranger), 'token_signature', 401],
  ...(['jku', 'x5u'] as const).map((name): Row => [
    name,
    () => tokenOf(stranger, {}, { [name]: 'https://evil.example/jwks' }),
    'token_signature',
    401,
  ]),
  ['jwk in the header', () => tokenOf(stranger, {}, { jwk: strangerPublic }), 'token_signature', 401],
  ['x5c in the header', () => tokenOf(stranger, {}, { x5c: ['MIIB'] }), 'token_signature', 401],
  [
    'control: jku, x5u, jwk and x5c are ignored',
    () => tokenOf(rsa, {}, { jku: 'https://evil.example', x5u: 'x', jwk: strangerPublic, x5c: [] }),
    'allow',
    200,
  ],
  ...[['exp'], [], 'exp', ['b64']].map((crit): Row => [
    `crit ${JSON.stringify(crit)}`,
    () => tokenOf(rsa, {}, { crit }),
    'token_malformed',
    401,
  ]),
  ['b64 false', () => tokenOf(rsa, {}, { b64: false }), 'token_malformed', 401],
  ['b64 true', () => tokenOf(rsa, {}, { b64: true }), 'token_malformed', 401],
  ['b64 false with crit', () => tokenOf(rsa, {}, { b64: false, crit: ['b64'] }), 'token_malformed', 401],
  ['zip', () => tokenOf(rsa, {}, { zip: 'DEF' }), 'token_malformed', 401],
  [
    'duplicate member in the header',
    () => signText('{"alg":"none","alg":"RS256","kid":"rsa-1"}', payload({}), rsa),
    'token_malformed',
    401,
  ],
  [
    'duplicate member, escaped',
    () => signText('{"alg":"RS256","kid":"x","k\\u0069d":"rsa-1"}', payload({}), rsa),
    'token_malformed',
    401,
  ],
  ['header that is an array', () => signText('["RS256"]', payload({}), rsa), 'token_malformed', 401],
  [
    'byte order mark before the header',
    () => signText(`\u{feff}${header({})}`, payload({}), rsa),
    'token_malformed',
    401,
  ],
];

const claimRows: readonly Row[] = [
  [
    'duplicate claim',
    () => signText(header({}), payload({}).replace('{', '{"sub":"root",'), rsa),
    'token_malformed',
    401,
  ],
  [
    'payload not UTF-8',
    () => rawToken(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
    'token_malformed',
    401,
  ],
  [
    'lone surrogate in a claim',
    () => signText(header({}), payload({ sub: 'SUB' }).replace('SUB', '\\ud800'), rsa),
    'token_malformed',
    401,
  ],
  ['64 kB', () => tokenOf(rsa, { pad: 'x'.repeat(48_000) }), 'token_too_large', 401],
  ['control: 12 kB', () => tokenOf(rsa, { pad: 'x'.repeat(8_000) }), 'allow', 200],
  ['10 000 dots', () => '.'.repeat(10_000), 'token_malformed', 401],
  [
    'deep JSON',
    () => signText(header({}), payload({ deep: 'DEEP' }).replace('"DEEP"', '['.repeat(5_000) + ']'.repeat(5_000)), rsa),
    'token_malformed',
    401,
  ],
  [
    'control: 20 deep',
    () => signText(header({}), payload({ deep: 'DEEP' }).replace('"DEEP"', '['.repeat(20) + ']'.repeat(20)), rsa),
    'allow',
    200,
  ],
  ['nested JWT', () => signText(header({ cty: 'JWT' }), tokenOf(rsa), rsa), 'token_malformed', 401],
  ['JWE of five parts', () => `${encode('{"alg":"RSA-OAEP","enc":"A256GCM"}')}.AA.AA.AA.AA`, 'token_malformed', 401],
  [
    'JSON serialisation',
    () => JSON.stringify({ payload: encode(payload({})), protected: encode(header({})), signature: 'AA' }),
    'token_malformed',
    401,
  ],
  ...['"1900000000"', 'null', 'true', '[1900000000]', '{}'].map((exp): Row => [
    `exp ${exp}`,
    () => signText(header({}), payloadWithExp(exp), rsa),
    'token_claim',
    401,
  ]),
  ...['-1', '0', String(startSeconds - 31)].map((exp): Row => [
    `exp ${exp}`,
    () => signText(header({}), payloadWithExp(exp), rsa),
    'token_expired',
    401,
  ]),
  ['exp past within the skew', () => tokenOf(rsa, { exp: startSeconds - 29 }), 'allow', 200],
  ['exp exactly at the end of the skew', () => tokenOf(rsa, { exp: startSeconds - 30 }), 'token_expired', 401],
  ['exp float', () => tokenOf(rsa, { exp: startSeconds + 60.5 }), 'allow', 200],
  ...['NaN', '0x7fffffff', '+1900000000', '01900000000', 'Infinity', '1e999', '1900000000.'].map((exp): Row => [
    `exp ${exp}`,
    () => signText(header({}), payloadWithExp(exp), rsa),
    'token_malformed',
    401,
  ]),
  ['exp 1e300', () => tokenOf(rsa, { exp: 1e300 }), 'token_claim', 401],
  ['exp in the year 10000', () => tokenOf(rsa, { exp: 253_402_300_800 }), 'token_claim', 401],
  ['exp missing', () => tokenOf(rsa, { exp: undefined }), 'token_claim', 401],
  ['nbf in the future', () => tokenOf(rsa, { nbf: startSeconds + 31 }), 'token_not_yet_valid', 401],
  ['nbf in the future within the skew', () => tokenOf(rsa, { nbf: startSeconds + 29 }), 'allow', 200],
  ['nbf not a number', () => tokenOf(rsa, { nbf: '0' }), 'token_claim', 401],
  ['iat in the future', () => tokenOf(rsa, { iat: startSeconds + 31 }), 'token_not_yet_valid', 401],
  ['iat in the future within the skew', () => tokenOf(rsa, { iat: startSeconds + 29 }), 'allow', 200],
  ['iat not a number', () => tokenOf(rsa, { iat: 'now' }), 'token_claim', 401],
  ...[
    undefined,
    ['api://other'],
    [],
    { 0: audience },
    'api://order',
    'api://orders/x',
    `${audience},x`,
    '*',
    [audience, 7],
    null,
    'API://ORDERS',
  ].map((aud): Row => [`aud ${JSON.stringify(aud)}`, () => tokenOf(rsa, { aud }), 'token_audience', 401]),
  ['aud an array with us', () => tokenOf(rsa, { aud: ['x', audience] }), 'allow', 200],
  ...[
    `${issuer}/`,
    issuer.toUpperCase(),
    issuer.replace('https', 'http'),
    issuer.replace('//', '//user@'),
    issuer.replace('.example', '.example:443'),
    `${issuer}\0`,
    [issuer],
    undefined,
    null,
  ].map((iss): Row => [`iss ${JSON.stringify(iss)}`, () => tokenOf(rsa, { iss }), 'token_issuer', 401]),
  ...[7, null, ['alice'], { a: 1 }, false, ''].map((sub): Row => [
    `sub ${JSON.stringify(sub)}`,
    () => tokenOf(rsa, { sub }),
    'token_claim',
    401,
  ]),
  [
    'prototype names in claims',
    () => signText(header({}), payload({}).replace('{', '{"__proto__":{"aud":"x"},"constructor":1,'), rsa),
    'allow',
    200,
  ],
  ['claims only in __proto__', () => signText(header({}), `{"__proto__":${payload({})}}`, rsa), 'token_issuer', 401],
  ['DPoP-bound as Bearer', () => tokenOf(rsa, { cnf: { jkt: 'x' } }), 'token_binding', 401],
  ['mTLS-bound without a certificate', () => tokenOf(rsa, { cnf: { 'x5t#S256': 'x' } }), 'token_binding', 401],
  ['unknown confirmation method', () => tokenOf(rsa, { cnf: null }), 'token_binding', 401],
  ['id_token as access token', () => tokenOf(rsa, { aud: 'web', nonce: 'n' }), 'token_audience', 401],
  [
    'logout token without a type',
    () => tokenOf(rsa, { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }, { typ: undefined }),
    'token_type',
    401,
  ],
  ...['dpop+jwt', 'logout+jwt', 'secevent+jwt', 'JOSE', '', 7].map((typ): Row => [
    `typ ${JSON.stringify(typ)}`,
    () => tokenOf(rsa, {}, { typ }),
    'token_type',
    401,
  ]),
  ...[undefined, 'jwt', 'application/JWT', 'AT+JWT', 'application/at+jwt'].map((typ): Row => [
    `control: typ ${typ}`,
    () => tokenOf(rsa, {}, { typ }),
    'allow',
    200,
  ]),
];

/** A token of RS256 whose payload is these bytes. */
function rawToken(bytes: Buffer): string {
  return signText(header({}), payload({}), rsa).replace(encode(payload({})), encode(bytes));
}

const zero = Buffer.alloc(32);

const signatureRows: readonly Row[] = [
  ...(
    [
      [zero, zero],
      [order, order],
      [zero, order],
      [Buffer.alloc(32, 1), zero],
    ] as const
  ).map(([r, s], index): Row => [
    `ES256 degenerate r or s (${index})`,
    () => withSignature(tokenOf(ec), () => Buffer.concat([r, s])),
    'token_signature',
    401,
  ]),
  ['DER signature', () => withSignature(tokenOf(ec), toDer), 'token_signature', 401],
  ['truncated signature', () => withSignature(tokenOf(rsa), (bytes) => bytes.subarray(0, -1)), 'token_signature', 401],
  [
    'overlong signature',
    () => withSignature(tokenOf(rsa), (bytes) => Buffer.concat([bytes, zero])),
    'token_signature',
    401,
  ],
  [
    'signature of zeros',
    () => withSignature(tokenOf(rsa), (bytes) => Buffer.alloc(bytes.length)),
    'token_signature',
    401,
  ],
  ['padded signature', () => `${tokenOf(rsa)}==`, 'token_malformed', 401],
  [
    'unused bits in base64url',
    () =>
      withSignature(tokenOf(rsa), (bytes) =>
        encode(bytes).replace(/.$/, (last) => String.fromCharCode(last.charCodeAt(0) + 1)),
      ),
    'token_malformed',
    401,
  ],
  ['a plus sign in base64url', () => tokenOf(rsa).replace('.', '+.'), 'token_malformed', 401],
  [
    'altered payload',
    () => tokenOf(rsa).replace(encode(payload({})), encode(payload({ sub: 'root' }))),
    'token_signature',
    401,
  ],
];

function toDer(bytes: Buffer): Buffer {
  const integer = (part: Buffer): Buffer => Buffer.concat([Buffer.from([2, part.length + 1, 0]), part]);
  const body = Buffer.concat([integer(bytes.subarray(0, 32)), integer(bytes.subarray(32))]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

describe.each([
  ['algorithms and keys', algorithmRows],
  ['header', headerRows],
  ['claims', claimRows],
  ['signature', signatureRows],
])('security.md section 2, %s', (_name, rows) => {
  test.each(rows)('%s', async (_attack, token, expected, status) => {
    await between(async () => {
      const text = token();
      expect(expected === 'allow' ? 200 : reasons[expected].status).toBe(status);
      expect(await present(provider, text)).toBe(expected);
    });
  });
});

describe('security.md section 2, carriers', () => {
  const good = tokenOf(rsa);
  const other = tokenOf(rsa, { sub: 'bob' });
  const queryPlace = { in: 'query', name: 'access_token' } as const;
  const cookiePlace = { in: 'cookie', name: 'session' } as const;
  const bearerPlace = { in: 'header', name: 'authorization', scheme: 'Bearer' } as const;
  const all = { from: [bearerPlace, cookiePlace, queryPlace] };

  const rows: readonly (readonly [string, RequestParts, ReasonCode | 'allow', Partial<JwtProviderSpec>?])[] = [
    ['bearer', { headers: [['authorization', `bearer ${good}`]] }, 'allow'],
    ['BEARER', { headers: [['authorization', `BEARER ${good}`]] }, 'allow'],
    ['two spaces', { headers: [['authorization', `Bearer  ${good}`]] }, 'allow'],
    ['no credential', {}, 'credential_missing'],
    ['another scheme', { headers: [['authorization', 'Basic dXNlcjpwYXNz']] }, 'credential_missing'],
    ['another scheme that begins alike', { headers: [['authorization', `Bearerx ${good}`]] }, 'credential_missing'],
    ['scheme alone', { headers: [['authorization', 'Bearer']] }, 'token_malformed'],
    ['scheme and spaces', { headers: [['authorization', 'Bearer   ']] }, 'token_malformed'],
    ...['\t', '\u2003', '\u00a0', '\0', ':', '=', '"', '/'].map(
      (separator) =>
        [
          `separator ${JSON.stringify(separator)}`,
          { headers: [['authorization', `Bearer${separator}${good}`]] },
          'token_malformed',
        ] as const,
    ),
    [
      'space within the token',
      { headers: [['authorization', `Bearer ${good.slice(0, 9)} ${good.slice(9)}`]] },
      'token_malformed',
    ],
    ['tab behind the token', { headers: [['authorization', `Bearer ${good}\t`]] }, 'token_malformed'],
    [
      'line break within',
      { headers: [['authorization', `Bearer ${good.slice(0, 9)}\r\n${good.slice(9)}`]] },
      'token_malformed',
    ],
    ['a comma within the token', { headers: [['authorization', `Bearer ${good},x`]] }, 'token_malformed'],
    [
      'another scheme behind ours',
      { headers: [['authorization', `Bearer ${good}, Basic dXNlcg==`]] },
      'credential_ambiguous',
    ],
    ['two tokens', { headers: [['authorization', `Bearer ${good} ${other}`]] }, 'token_malformed'],
    [
      'comma-joined',
      { headers: [['authorization', `Bearer ${good},Bearer ${other}`]], duplicates: 'joined' },
      'credential_ambiguous',
    ],
    [
      'comma-joined, the same twice',
      { headers: [['authorization', `Bearer ${good}, Bearer ${good}`]], duplicates: 'joined' },
      'credential_ambiguous',
    ],
    [
      'comma-joined behind another scheme',
      { headers: [['authorization', `Basic dXNlcg==,bearer ${good}`]], duplicates: 'joined' },
      'credential_ambiguous',
    ],
    [
      'non-UTF-8 header',
      { headers: [{ name: 'authorization', value: `Bearer ${good}!`, isText: false }] },
      'token_malformed',
    ],
    ['token in the query, not listed', { target: `/orders?access_token=${good}` }, 'credential_missing'],
    ['control: token in the query, listed', { target: `/orders?access_token=${good}` }, 'allow', all],
    [
      'token in the query twice',
      { target: `/orders?access_token=${good}&access_token=${good}` },
      'credential_ambiguous',
      all,
    ],
    [
      'token in the query under an encoded name',
      { target: `/orders?access%5Ftoken=${good}` },
      'credential_ambiguous',
      all,
    ],
    ['empty token in the query', { target: '/orders?access_token=' }, 'token_malformed', all],
    [
      'token in header and query',
      { target: `/orders?access_token=${good}`, headers: [['authorization', `Bearer ${good}`]] },
      'credential_ambiguous',
      all,
    ],
    [
      'token in header and an empty one in the query',
      { target: '/orders?access_token', headers: [['authorization', `Bearer ${good}`]] },
      'credential_ambiguous',
      all,
    ],
    ['control: token in a cookie', { headers: [['cookie', `a=1; session=${good}; b=2`]] }, 'allow', all],
    ['token in a cookie, not listed', { headers: [['cookie', `session=${good}`]] }, 'credential_missing'],
    ['cookie twice', { headers: [['cookie', `session=${good}; session=${other}`]] }, 'credential_ambiguous', all],
    [
      'cookie header twice',
      {
        headers: [
          ['cookie', 'a=1'],
          ['cookie', `session=${good}`],
        ],
      },
      'header_duplicated',
      all,
    ],
    [
      'cookie behind a comma',
      { headers: [['cookie', `a=1,session=${good}`]], duplicates: 'joined' },
      'header_duplicated',
      all,
    ],
    [
      'control: cookie header twice without ours',
      {
        headers: [
          ['cookie', 'a=1'],
          ['cookie', 'b=2'],
          ['authorization', `Bearer ${good}`],
        ],
      },
      'allow',
      all,
    ],
    ['cookie without a value', { headers: [['cookie', 'session']] }, 'token_malformed', all],
    ['cookie in quotes', { headers: [['cookie', `session="${good}"`]] }, 'token_malformed', all],
    [
      'cookie and header',
      {
        headers: [
          ['authorization', `Bearer ${good}`],
          ['cookie', `session=${other}`],
        ],
      },
      'credential_ambiguous',
      all,
    ],
  ];

  test.each(rows.map((row) => ({ name: row[0], row })))('$name', async ({ row: [, parts, expected, changes] }) => {
    await between(async () => {
      expect(verdictOf(await compileAuthentication([provider])(requestOf(parts), 'shop'))).toBe(expected);
    }, changes);
  });

  test('several Authorization headers are refused by the canonicaliser, and by the phase for any other header', async () => {
    const place = { in: 'header', name: 'x-token', scheme: undefined } as const;
    await between(
      async () => {
        const twice = requestOf({
          headers: [
            ['x-token', good],
            ['x-token', good],
          ],
        });
        expect(verdictOf(await compileAuthentication([provider])(twice, 'shop'))).toBe('header_duplicated');
        const once = requestOf({ headers: [['x-token', good]] });
        expect(verdictOf(await compileAuthentication([provider])(once, 'shop'))).toBe('allow');
      },
      { from: [bearerPlace, place] },
    );
  });
});

describe('security.md section 2, keys of the issuer', () => {
  const weak = rsaKey('weak', 1024);
  const evenE = { ...rsa.jwk, kid: 'even-e', e: encode(Buffer.from([2])) };
  const oneE = { ...rsa.jwk, kid: 'one-e', e: encode(Buffer.from([1])) };
  const bad: readonly (readonly [string, unknown])[] = [
    ['oct', { kty: 'oct', kid: 'oct', k: encode('secret-secret-secret-secret-secre'), alg: 'RS256' }],
    ['RSA 1024', weak.jwk],
    ['RSA e = 1', oneE],
    ['RSA e even', evenE],
    ['private', { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'private' }],
    ['unknown kty', { kty: 'AKP', kid: 'pq', alg: 'ML-DSA-44', pub: 'AA' }],
    ['unknown crv', { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA', kid: 'k1' }],
    ['use', { ...ec.jwk, use: 'other', kid: 'use' }],
    ['key_ops', { ...ec.jwk, key_ops: ['sign'], kid: 'ops' }],
    ['point off the curve', { ...ec.jwk, x: encode(Buffer.alloc(32, 7)), kid: 'off' }],
    ['kid not a string', { ...ec.jwk, kid: 7 }],
    ['not an object', 7],
    ['null', null],
    ['alg of another type', { ...ec.jwk, alg: 'RS256', kid: 'alg' }],
  ];

  test.each(bad)('a bad key among good ones is left out and named, the others work: %s', async (_name, jwk) => {
    world = createWorld([]);
    world.http.answer(jwksUri, { keys: [jwk, rsa.jwk, ec.jwk] });
    provider = world.provider();
    await provider.firstLoad;
    expect(await present(provider, tokenOf(rsa))).toBe('allow');
    expect(await present(provider, tokenOf(ec))).toBe('allow');
    expect(provider.status()).toEqual({
      keys: 2,
      keyAgeSeconds: 0,
      lastError: expect.stringMatching(/^key .* left out: /),
    });
  });

  test('a token of a key that was left out is denied, and not with an error of ours', async () => {
    world = createWorld([rsa, weak]);
    provider = world.provider();
    await provider.firstLoad;
    expect(await present(provider, tokenOf(weak))).toBe('token_key');
    expect(await present(provider, tokenOf(weak, {}, { kid: undefined }))).toBe('token_signature');
    expect(await present(provider, tokenOf(rsa))).toBe('allow');
  });

  test('a key for encryption is passed over without a word', async () => {
    world = createWorld([rsa]);
    world.http.answer(jwksUri, { keys: [{ ...rsa.jwk, kid: 'enc', use: 'enc', alg: 'RSA-OAEP' }, rsa.jwk] });
    provider = world.provider();
    await provider.firstLoad;
    expect(provider.status()).toEqual({ keys: 1, keyAgeSeconds: 0, lastError: undefined });
    expect(await present(provider, tokenOf(rsa))).toBe('allow');
    expect(await present(provider, tokenOf(rsa, {}, { kid: 'enc' }))).toBe('token_key');
  });

  test('the same kid at two issuers stays two keys', async () => {
    world = createWorld([rsa]);
    const otherIssuer = 'https://other.example';
    world.http.answer('https://other.example/keys', { keys: [stranger.jwk] });
    provider = world.provider();
    const second = world.provider({
      name: 'other',
      issuer: otherIssuer,
      keys: { type: 'URI', uri: 'https://other.example/keys' },
    });
    await Promise.all([provider.firstLoad, second.firstLoad]);
    const authenticate = compileAuthentication([provider, second]);
    const ask = async (token: string): Promise<string> =>
      verdictOf(await authenticate(requestOf({ headers: [['authorization', `Bearer ${token}`]] }), 'shop'));
    expect(await ask(tokenOf(rsa))).toBe('allow');
    expect(await ask(tokenOf(stranger, { iss: otherIssuer }))).toBe('allow');
    expect(await ask(tokenOf(stranger))).toBe('token_signature');
    expect(await ask(tokenOf(rsa, { iss: otherIssuer }))).toBe('token_signature');
    second.close();
  });
});

describe('security.md section 2, calls that a token may cause', () => {
  const noCalls: readonly (readonly [string, () => string, ReasonCode])[] = [
    [
      'issuer that is not configured',
      () => tokenOf(rsa, { iss: 'https://evil.example' }, { kid: 'new' }),
      'token_issuer',
    ],
    ['expired', () => tokenOf(rsa, { exp: startSeconds - 3600 }, { kid: 'new' }), 'token_expired'],
    ['wrong audience', () => tokenOf(rsa, { aud: 'x' }, { kid: 'new' }), 'token_audience'],
    ['not yet valid', () => tokenOf(rsa, { nbf: startSeconds + 3600 }, { kid: 'new' }), 'token_not_yet_valid'],
    ['bound', () => tokenOf(rsa, { cnf: {} }, { kid: 'new' }), 'token_binding'],
    ['no token at all', () => 'x.y', 'token_malformed'],
  ];

  test.each(noCalls)('none: %s', async (_name, token, expected) => {
    await between(async () => {
      expect(await present(provider, token())).toBe(expected);
      expect(world.http.calls).toEqual([jwksUri]);
      // The control: a token that passes all that is asked for it.
      expect(await present(provider, tokenOf(rsa, {}, { kid: 'new' }))).toBe('token_key');
      expect(world.http.calls).toEqual([jwksUri, jwksUri]);
    });
  });
});

describe('profiles', () => {
  const full = { client_id: 'web', jti: '1' };
  const rows: readonly (readonly [JwtProviderSpec['profile'], string, object, object, ReasonCode | 'allow'])[] = [
    ['AccessToken', 'all of RFC 9068', full, { typ: 'at+jwt' }, 'allow'],
    ['AccessToken', 'the long type in another case', full, { typ: 'Application/AT+JWT' }, 'allow'],
    ['AccessToken', 'typ JWT', full, { typ: 'JWT' }, 'token_type'],
    ['AccessToken', 'no typ', full, { typ: undefined }, 'token_type'],
    ['AccessToken', 'no client_id', { ...full, client_id: undefined }, { typ: 'at+jwt' }, 'token_claim'],
    ['AccessToken', 'no jti', { ...full, jti: undefined }, { typ: 'at+jwt' }, 'token_claim'],
    ['AccessToken', 'no iat', { ...full, iat: undefined }, { typ: 'at+jwt' }, 'token_claim'],
    ['AccessToken', 'no sub', { ...full, sub: undefined }, { typ: 'at+jwt' }, 'token_claim'],
    ['AccessToken', 'client_id not a string', { ...full, client_id: 7 }, { typ: 'at+jwt' }, 'token_claim'],
    ['IDToken', 'typ JWT', {}, { typ: 'JWT' }, 'allow'],
    ['IDToken', 'no typ', {}, { typ: undefined }, 'allow'],
    ['IDToken', 'typ at+jwt', {}, { typ: 'at+jwt' }, 'token_type'],
    ['IDToken', 'no sub', { sub: undefined }, {}, 'token_claim'],
    ['IDToken', 'no iat', { iat: undefined }, {}, 'token_claim'],
    ['IDToken', 'several audiences, azp ours', { aud: [audience, 'x'], azp: audience }, {}, 'allow'],
    ['IDToken', 'several audiences, azp another', { aud: [audience, 'x'], azp: 'x' }, {}, 'token_claim'],
    ['IDToken', 'several audiences, no azp', { aud: [audience, 'x'] }, {}, 'token_claim'],
    ['Any', 'no sub, client_id, iat or jti', { sub: undefined, iat: undefined }, {}, 'allow'],
    ['Any', 'no typ', {}, { typ: undefined }, 'allow'],
    [
      'Any',
      'what access tokens of some issuers share with ID tokens',
      { nonce: 'n', azp: 'web', sid: 's' },
      {},
      'allow',
    ],
    ['Any', "Keycloak's word for access tokens", { typ: 'Bearer' }, {}, 'allow'],
    ...['at_hash', 'c_hash', 's_hash'].map(
      (name) => ['Any', `an ID token with ${name}`, { [name]: 'x' }, { typ: undefined }, 'token_type'] as const,
    ),
    ...['ID', 'Refresh', 'Offline', 'Logout'].map(
      (typ) => ['Any', `Keycloak's word for ${typ} tokens`, { typ }, {}, 'token_type'] as const,
    ),
    ['IDToken', 'an ID token with at_hash', { at_hash: 'x', typ: 'ID' }, {}, 'allow'],
  ];

  let keys: World;
  beforeAll(() => {
    keys = createWorld([rsa]);
  });

  test.each(rows)('%s: %s', async (profile, _name, claims, head, expected) => {
    provider = keys.provider({ profile });
    await provider.firstLoad;
    expect(await present(provider, tokenOf(rsa, { ...claims }, { ...head }))).toBe(expected);
    const typ = profile === 'AccessToken' ? 'at+jwt' : 'JWT';
    expect(await present(provider, tokenOf(rsa, full, { typ }))).toBe('allow');
  });
});
