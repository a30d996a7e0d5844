import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sharedSecretSpec } from './client-specs.ts';
import type { MessageProvider, VerifyResult } from '../../../src/phases/identity/identity-provider.ts';
import { createSharedSecretJwtProvider } from '../../../src/phases/identity/shared-secret-jwt/shared-secret-jwt-provider.ts';
import type { Material } from '../../../src/policy/read-material.ts';
import type { SharedSecretJwtProviderSpec } from '../../../src/policy/provider-spec.ts';
import {
  createWorld,
  credentialOf,
  encode,
  rsaKey,
  signText,
  startSeconds,
  verdictOf,
  type Claims,
  type World,
} from './identity-fixtures.ts';
import { secretOf, type SecretParts } from './client-fixtures.ts';
import { renewProvider } from './renew-provider.ts';

const secret = 'a-shared-secret-of-32-bytes-or-more!';
const long = secret.repeat(2);
const acme = secretOf('acme', { data: { key: 'acme', secret } });
const publicKey = rsaKey('k1');

interface Started extends World {
  readonly partners: MessageProvider;
  readonly ask: (token: string) => string;
  readonly renew: (...secrets: readonly Material[]) => void;
}

function start(secrets: readonly Material[] = [acme], changes: Partial<SharedSecretJwtProviderSpec> = {}): Started {
  const world = createWorld([]);
  const partners = createSharedSecretJwtProvider(sharedSecretSpec(changes), { texts: new Map(), secrets }, world.ports);
  const ask = (token: string): string => verdictOf(partners.verify(credentialOf(token)) as VerifyResult);
  return { ...world, partners, ask, renew: (...next) => renewProvider(partners, { texts: new Map(), secrets: next }) };
}

const good = { iss: 'acme', exp: startSeconds + 600 };

function sign(header: string, payload: string, key: string | Buffer = secret, hash = 'sha256'): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`;
}

/** `undefined` takes a claim out. */
function token(claims: Claims = {}, header: Claims = {}, key: string | Buffer = secret, hash = 'sha256'): string {
  return sign(JSON.stringify({ alg: 'HS256', ...header }), JSON.stringify({ ...good, ...claims }), key, hash);
}

describe('a token with an HMAC', () => {
  test('is its consumer, whatever it says of itself; roles and scopes are those of the Secret', () => {
    const annotations = { roles: 'partner', scopes: 'orders:read', 'client-id': 'acme-erp' };
    const { partners } = start([secretOf('s1', { data: { key: 'acme', secret }, annotations })]);
    const claims = { ...good, sub: 'root', scope: 'admin', roles: ['admin'], client_id: 'other', iat: startSeconds };
    expect(partners.verify(credentialOf(token(claims)))).toEqual({
      identity: {
        authenticated: true,
        subject: 'acme',
        issuer: '',
        provider: 'partners',
        clientId: 'acme-erp',
        scopes: ['orders:read'],
        roles: ['partner'],
        claims,
        expiresAt: startSeconds + 600,
      },
    });
    expect(partners.status()).toEqual({ keys: 1, keyAgeSeconds: undefined, lastError: undefined });
  });

  test('of RFC 7515 A.1 is verified, line breaks in its header and all', () => {
    const key = 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow';
    const example =
      'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
    const { ask, time } = start([secretOf('joe', { data: { key: 'joe', secret: key } })], { secretEncoding: 'Base64' });
    expect(ask(example)).toBe('token_expired');
    time.setWall(1_300_819_000);
    expect(ask(example)).toBe('allow');
    expect(ask(`${example.slice(0, -1)}l`)).toBe('token_malformed');
    expect(ask(example.replace('dBjf', 'dBjg'))).toBe('token_signature');
  });

  test.each([
    ['HS256', 'sha256', 32],
    ['HS384', 'sha384', 48],
    ['HS512', 'sha512', 64],
  ] as const)('of %s needs a secret as long as its output (RFC 7518 3.2)', (algorithm, hash, bytes) => {
    const key = 'x'.repeat(bytes);
    const options = { algorithms: [algorithm] };
    const enough = start([secretOf('s', { data: { key: 'acme', secret: key } })], options);
    expect(enough.ask(token({}, { alg: algorithm }, key, hash))).toBe('allow');
    const short = start([secretOf('s', { data: { key: 'acme', secret: key.slice(1) } })], options);
    expect(short.ask(token({}, { alg: algorithm }, key.slice(1), hash))).toBe('token_key');
    expect(short.partners.status()).toEqual({
      keys: 0,
      keyAgeSeconds: undefined,
      lastError: `Secret s: its secret has ${bytes - 1} bytes, and at least ${bytes} for ${algorithm} are needed (RFC 7518 3.2)`,
    });
  });

  test('of an algorithm that its secret is too short for is refused, where a weaker one is allowed', () => {
    const { ask } = start([acme], { algorithms: ['HS256', 'HS512'] });
    expect([ask(token()), ask(token({}, { alg: 'HS512' }, secret, 'sha512'))]).toEqual(['allow', 'token_key']);
  });

  test.each<[string, SharedSecretJwtProviderSpec['keyClaim'], Claims, Claims]>([
    ['a claim', { in: 'claim', name: 'azp' }, { azp: 'acme', iss: 'other' }, {}],
    ['a claim deep inside', { in: 'claim', name: '/ext/partner' }, { ext: { partner: 'acme' } }, {}],
    ['the kid', { in: 'header', name: 'kid' }, { iss: 'other' }, { kid: 'acme' }],
  ])('may name its consumer in %s', (_, keyClaim, claims, header) => {
    const { ask } = start([acme], { keyClaim });
    expect([ask(token(claims, header)), ask(token())]).toEqual([
      'allow',
      keyClaim.in === 'header' ? 'token_key' : 'token_claim',
    ]);
  });
});

describe('what is refused', () => {
  const [head = '', body = '', code = ''] = token().split('.');
  const json = JSON.stringify(good);
  const h = '{"alg":"HS256"}';
  test.each<[string, string, string]>([
    ['none', `${encode('{"alg":"none"}')}.${body}.`, 'token_malformed'],
    ['none with a signature', sign('{"alg":"none"}', json), 'token_algorithm'],
    ['another spelling of the algorithm', sign('{"alg":"hs256"}', json), 'token_algorithm'],
    ['no algorithm', sign('{}', json), 'token_algorithm'],
    ['an algorithm that is not of the provider', token({}, { alg: 'HS512' }, long, 'sha512'), 'token_algorithm'],
    ['a signature of a private key', signText('{"alg":"RS256"}', json, publicKey), 'token_algorithm'],
    ['such a signature that calls itself HMAC', signText(h, json, publicKey), 'token_signature'],
    ['another secret', token({}, {}, `${secret}!`), 'token_signature'],
    ['the secret of another', token({}, {}, 'other-secret-of-more-than-32-bytes!!'), 'token_signature'],
    ['another payload', `${head}.${encode(JSON.stringify({ ...good, a: 1 }))}.${code}`, 'token_signature'],
    ['half a code', `${head}.${body}.${code.slice(0, 20)}`, 'token_signature'],
    ['a code with something behind', `${head}.${body}.${code}AAAA`, 'token_signature'],
    ['no code', `${head}.${body}.`, 'token_malformed'],
    ['a fourth part', `${token()}.x`, 'token_malformed'],
    ['no token', 'hello', 'token_malformed'],
    ['a longer token than is read', 'a'.repeat(20_000), 'token_too_large'],
    ['crit', token({}, { crit: ['exp'] }), 'token_malformed'],
    ['b64', token({}, { b64: false }), 'token_malformed'],
    ['zip', token({}, { zip: 'DEF' }), 'token_malformed'],
    ['a kid that is no text', token({}, { kid: 1 }), 'token_malformed'],
    ['the type of another use', token({}, { typ: 'logout+jwt' }), 'token_type'],
    ['a member twice in the header', sign('{"alg":"HS256","alg":"HS256"}', json), 'token_malformed'],
    ['a claim twice', sign(h, `{"iss":"acme","iss":"acme","exp":${startSeconds + 600}}`), 'token_malformed'],
    ['no exp', token({ exp: undefined }), 'token_claim'],
    ['exp as a text', token({ exp: '9999999999' }), 'token_claim'],
    ['exp beyond the calendar', sign(h, '{"iss":"acme","exp":1e300}'), 'token_claim'],
    ['exp beyond numbers', sign(h, '{"iss":"acme","exp":1e999}'), 'token_malformed'],
    ['exp null', token({ exp: null }), 'token_claim'],
    ['its end', token({ exp: startSeconds - 30 }), 'token_expired'],
    ['nbf to come', token({ nbf: startSeconds + 31 }), 'token_not_yet_valid'],
    ['nbf that is no time', token({ nbf: 'now' }), 'token_claim'],
    ['iat to come', token({ iat: startSeconds + 31 }), 'token_not_yet_valid'],
    ['a sub that is no text', token({ sub: 7 }), 'token_claim'],
    ['a binding to a key', token({ cnf: { jkt: 'x' } }), 'token_binding'],
    ['no consumer', token({ iss: undefined }), 'token_claim'],
    ['an empty consumer', token({ iss: '' }), 'token_claim'],
    ['a consumer that is a list', token({ iss: ['acme'] }), 'token_claim'],
    ['an unknown consumer', token({ iss: 'nobody' }), 'token_key'],
    ['another case of its name', token({ iss: 'Acme' }), 'token_key'],
    ['a space behind its name', token({ iss: 'acme ' }), 'token_key'],
    ['a path as the consumer', token({ iss: '../../etc/passwd' }), 'token_key'],
    ['SQL as the consumer', token({ iss: "acme' OR 1=1 --" }), 'token_key'],
    ['a URL as the consumer', token({ iss: 'http://169.254.169.254/' }), 'token_key'],
    ['a name that every object has', token({ iss: '__proto__' }), 'token_key'],
    ['NUL behind its name', token({ iss: 'acme\0' }), 'token_key'],
  ])('%s', (_, presented, expected) => {
    const { ask } = start();
    // A second time, out of no cache; and the good one beside it.
    expect([ask(presented), ask(presented), ask(token())]).toEqual([expected, expected, 'allow']);
  });

  test.each([
    ['just before its end, within the skew', { exp: startSeconds - 29 }],
    ['nbf within the skew', { nbf: startSeconds + 30 }],
    ['iat within the skew', { iat: startSeconds + 30 }],
    ['fractions of seconds', { exp: startSeconds + 0.5 }],
    ['an audience and issuer of its own', { aud: 'anything', sub: 'x' }],
  ])('but not %s', (_, claims) => {
    expect(start().ask(token(claims))).toBe('allow');
  });

  test('nbf is not looked at where verifyClaims leaves it out, and exp is all the same', () => {
    const { ask } = start([acme], { verifyNotBefore: false });
    const answers = [{ nbf: startSeconds + 9999 }, { exp: startSeconds - 31 }, { exp: undefined }];
    expect(answers.map((claims) => ask(token(claims)))).toEqual(['allow', 'token_expired', 'token_claim']);
  });

  test('whatever else a client makes up, and nothing is thrown', () => {
    const { ask, log } = start();
    const part = fc.oneof(fc.string(), fc.constantFrom(head, body, code), fc.base64String());
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), fc.constantFrom('.', ''), (parts, glue) => {
        const text = parts.join(glue);
        fc.pre(text !== `${head}.${body}.${code}`);
        expect(ask(text)).not.toBe('allow');
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (header, claims) => {
        expect(ask(sign(JSON.stringify(header), JSON.stringify(claims)))).not.toBe('allow');
      }),
      { numRuns: 500 },
    );
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('a Secret that is refused is named, and says nothing of the secret', () => {
  const bytes = randomBytes(48);
  const edges = 'its secret begins or ends with white space (a line break of a file?)';
  test.each<[string, SecretParts, string, SharedSecretJwtProviderSpec['secretEncoding']?]>([
    ['no name', { data: { secret } }, 'it has no key (the name of the consumer)'],
    ['an empty name', { data: { key: '', secret } }, 'its key is no printable name'],
    ['a line break in the name', { data: { key: 'acme\n', secret } }, 'its key is no printable name'],
    ['no secret', { data: { key: 'acme' } }, 'its secret is missing'],
    ['an empty secret', { data: { key: 'acme', secret: '' } }, 'its secret is empty'],
    ['a line break behind the secret', { data: { key: 'acme', secret: `${secret}\n` } }, edges],
    [
      'bytes that are no text',
      { data: { key: 'acme', secret: Buffer.concat([Buffer.from('a'), bytes, Buffer.from([0xff])]).toString('utf8') } },
      'its secret is no text: use secretEncoding: Base64 for bytes',
    ],
    [
      'a public key, with which everybody could sign',
      { data: { key: 'acme', secret: String(publicKey.publicKey.export({ type: 'spki', format: 'pem' })).trim() } },
      'its secret is a key or certificate in PEM, which is no secret',
    ],
    ['what is not base64', { data: { key: 'acme', secret: `${secret}=` } }, 'its secret is not base64', 'Base64'],
    [
      'base64 with a line break inside',
      { data: { key: 'acme', secret: bytes.toString('base64').replace(/^(.{8})/, '$1\n') } },
      'its secret is not base64',
      'Base64',
    ],
    [
      'base64 of less than it needs',
      { data: { key: 'acme', secret: Buffer.alloc(31, 'x').toString('base64') } },
      'its secret has 31 bytes, and at least 32 for HS256 are needed (RFC 7518 3.2)',
      'Base64',
    ],
    [
      'an end that is no time',
      { data: { key: 'acme', secret }, annotations: { expires: 'never' } },
      'its annotation expires is no time of RFC 3339 such as 2027-01-31T00:00:00Z',
    ],
    ['a deletion under way', { data: { key: 'acme', secret }, isLeaving: true }, 'it is being deleted'],
  ])('%s', (_, parts, why, secretEncoding = 'Plain') => {
    const { ask, partners } = start([secretOf('s1', parts)], { secretEncoding });
    expect(ask(token())).toBe('token_key');
    expect(partners.status()).toEqual({ keys: 0, keyAgeSeconds: undefined, lastError: `Secret s1: ${why}` });
  });

  test.each(['base64', 'base64url'] as const)('secrets in %s are their bytes', (encoding) => {
    const { ask } = start([secretOf('s', { data: { key: 'acme', secret: bytes.toString(encoding) } })], {
      secretEncoding: 'Base64',
    });
    expect([ask(token({}, {}, bytes)), ask(token({}, {}, bytes.toString(encoding)))]).toEqual([
      'allow',
      'token_signature',
    ]);
  });

  test.each([
    ['with secrets of their own', secretOf('s2', { data: { key: 'acme', secret: long } })],
    ['one of them refused', secretOf('s2', { data: { key: 'acme' } })],
  ])('two of one name: neither works, until one is gone: %s', (_, twin) => {
    const { ask, partners, renew } = start([acme, twin]);
    expect([ask(token()), ask(token({}, {}, long))]).toEqual(['token_key', 'token_key']);
    expect(partners.status().lastError).toContain(
      'Secrets acme, s2 name the same consumer, so that none of them works',
    );
    renew(acme);
    expect([ask(token()), partners.status().lastError]).toEqual(['allow', undefined]);
  });
});

describe('a token that was verified is remembered', () => {
  test('until its end, or that of its consumer', async () => {
    const expires = new Date((startSeconds + 100) * 1000).toISOString();
    const { ask, time, events } = start([secretOf('s', { data: { key: 'acme', secret }, annotations: { expires } })]);
    const short = token({ exp: startSeconds + 10 });
    const answers = [ask(short), ask(short), ask(token())];
    await time.advance(40_000);
    answers.push(ask(short), ask(token()));
    await time.advance(60_000);
    answers.push(ask(token()), ask(token({ jti: 'a' })));
    expect(answers).toEqual(['allow', 'allow', 'allow', 'token_expired', 'allow', 'token_expired', 'token_expired']);
    // What has ended is judged as what nobody has seen.
    expect(events).toEqual(['miss', 'hit', 'miss', 'miss', 'hit', 'miss', 'miss']);
  });

  test('and ends with its own consumer, not with another', async () => {
    const expires = new Date((startSeconds + 10) * 1000).toISOString();
    const ending = secretOf('b', { data: { key: 'b', secret }, annotations: { expires } });
    const { ask, time } = start([acme, ending]);
    const [theirs, ours] = [token({ iss: 'b' }), token()];
    const answers = [ask(theirs), ask(ours)];
    await time.advance(10_000);
    expect([...answers, ask(theirs), ask(ours)]).toEqual(['allow', 'allow', 'token_expired', 'allow']);
  });

  test('not where the clock was set back before its nbf', () => {
    const { ask, time } = start();
    const later = token({ nbf: startSeconds });
    expect(ask(later)).toBe('allow');
    time.setWall(startSeconds - 31);
    expect(ask(later)).toBe('token_not_yet_valid');
  });

  test('and forgotten with the secret that verified it, and no other', () => {
    const other = secretOf('other', { data: { key: 'other', secret: long } });
    const { ask, renew, ports } = start([acme, other]);
    const theirs = token({ iss: 'other' }, {}, long);
    expect([ask(token()), ask(theirs), ports.tokens.entries]).toEqual(['allow', 'allow', 2]);
    renew(secretOf('acme', { data: { key: 'acme', secret: long } }), other);
    expect([ports.tokens.entries, ask(token()), ask(token({}, {}, long)), ask(theirs)]).toEqual([
      1,
      'token_signature',
      'allow',
      'allow',
    ]);
    renew(other);
    expect([ask(token({}, {}, long)), ask(theirs)]).toEqual(['token_key', 'allow']);
  });

  test('with the roles that its Secret has now', () => {
    const rolesOf = (result: unknown): unknown => (result as { identity: { roles: unknown } }).identity.roles;
    const { partners, renew } = start([secretOf('s', { data: { key: 'acme', secret }, annotations: { roles: 'a' } })]);
    const before = rolesOf(partners.verify(credentialOf(token())));
    renew(secretOf('s', { data: { key: 'acme', secret }, annotations: { roles: 'b' } }));
    expect([before, rolesOf(partners.verify(credentialOf(token())))]).toEqual([['a'], ['b']]);
  });

  test('and with no other provider', () => {
    const { ask, ports, partners } = start();
    const strict = createSharedSecretJwtProvider(
      sharedSecretSpec({ algorithms: ['HS512'] }),
      { texts: new Map(), secrets: [acme] },
      ports,
    );
    expect([ask(token()), verdictOf(strict.verify(credentialOf(token())) as VerifyResult)]).toEqual([
      'allow',
      'token_algorithm',
    ]);
    partners.close();
    expect(ports.tokens.entries).toBe(0);
  });
});

test('no secret, token or claim is in a log, a status or a denial', () => {
  const canary = 'canary-4711-canary-4711-canary-4711';
  const { ask, partners, log } = start([
    secretOf('a', { data: { key: 'a', secret: canary } }),
    secretOf('b', { data: { key: 'b', secret: canary.slice(0, 20) } }),
    secretOf('c', { data: { key: 'c', secret: canary }, annotations: { expires: 'soon' } }),
  ]);
  const tokens = [token({ iss: 'a' }, {}, canary), token({ iss: canary }), token({ iss: 'a', sub: canary })];
  expect(tokens.map(ask)).toEqual(['allow', 'token_key', 'token_signature']);
  const told = JSON.stringify([
    log.lines,
    partners.status(),
    ...tokens.slice(1).map((one) => partners.verify(credentialOf(one))),
  ]);
  expect(told).toContain('Secret b');
  expect(told).not.toContain('canary');
});
