import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { validateSources } from '../../../src/runtime/validate.ts';
import { testCertificate } from './test-certificate.ts';

const provider = (type: string, part: string, spec: string): string => `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: p, namespace: shop}
spec: {type: ${type}, ${part}: ${spec}}
`;
const object = (kind: 'Secret' | 'ConfigMap', name: string, data: object, meta = ''): string =>
  `---\napiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: shop${meta}}\n${kind === 'Secret' ? 'stringData' : 'data'}: ${JSON.stringify(data)}\n`;
async function told(...documents: readonly string[]): Promise<readonly string[]> {
  const { problems } = await validateSources(['-'], () => Promise.resolve(documents.join('')));
  return problems.map(({ severity, code, field, message }) => `${severity} ${code} ${field}: ${message}`);
}

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'a' }] });

describe('a key set in a ConfigMap', () => {
  const jwt = provider(
    'JWT',
    'jwt',
    '{issuer: "https://i.example", audiences: [a], jwks: {configMapRef: {name: m, key: jwks}}}',
  );
  const place = 'warning unusable-reference spec.jwt: the key jwks of the ConfigMap shop/m: the key set';

  test('that is good is no news', async () => {
    expect(await told(jwt, object('ConfigMap', 'm', { jwks }))).toEqual([]);
  });

  test.each([
    ['empty', '', `${place} is not JSON`],
    ['no JSON', '<html>', `${place} is not JSON`],
    ['a list', '[]', `${place} is not an object with an array of keys`],
    ['without keys', '{"keys":[]}', `${place} has no usable key`],
  ])('that is %s is told', async (_, text, why) => {
    expect(await told(jwt, object('ConfigMap', 'm', { jwks: text }))).toEqual([expect.stringContaining(why)]);
  });

  test('whose key is not in the ConfigMap is told', async () => {
    expect(await told(jwt, object('ConfigMap', 'm', { jwsk: jwks }))).toEqual([
      'warning unusable-reference spec.jwt: the ConfigMap shop/m or its key jwks is missing',
    ]);
  });
});

describe('certificates in a ConfigMap', () => {
  const jwt = provider(
    'JWT',
    'jwt',
    '{issuer: "https://i.example", audiences: [a], jwks: {caRef: {name: m, key: ca.crt}}}',
  );
  const why =
    'warning unusable-reference spec.jwt: the key ca.crt of the ConfigMap shop/m: there is no PEM certificate that can be read';

  test('to trust for an issuer that are good are no news, and nobody is asked', async () => {
    expect(await told(jwt, object('ConfigMap', 'm', { 'ca.crt': testCertificate }))).toEqual([]);
  });

  test.each([
    ['broken PEM', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
    ['a list of revoked ones', '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----'],
  ])('to trust that are %s are told', async (_, text) => {
    expect(await told(jwt, object('ConfigMap', 'm', { 'ca.crt': text }))).toEqual([why]);
  });

  test('of clients that are none are told', async () => {
    const peer = provider(
      'ClientCertificate',
      'clientCertificate',
      '{source: Certificate, caRef: {name: m, key: ca.crt}}',
    );
    expect(await told(peer, object('ConfigMap', 'm', { 'ca.crt': 'x' }))).toEqual([
      'warning unusable-reference spec.clientCertificate: there is no PEM certificate',
    ]);
  });
});

describe('the Secret of a client of introspection', () => {
  const introspection = (method: string): string =>
    provider(
      'Introspection',
      'introspection',
      `{endpoint: "https://i.example/i", audiences: [a], clientAuthentication: {method: ${method}, secretRef: {name: s}}}`,
    );
  test.each([
    ['Basic', { client_id: 'a', client_secret: 'b' }, []],
    ['Basic', { clientId: 'a', client_secret: 'b' }, ['the Secret shop/s or its key client_id is missing']],
    ['Post', { client_id: 'a' }, ['the Secret shop/s has no key client_secret']],
    ['PrivateKeyJWT', { client_id: 'a', private_key: privateKey.export({ format: 'pem', type: 'pkcs8' }) }, []],
    [
      'PrivateKeyJWT',
      { client_id: 'a', private_key: 'canary' },
      [expect.stringContaining('private_key of the Secret shop/s')],
    ],
  ])('%s with %j', async (method, data, why) => {
    const lines = await told(introspection(method), object('Secret', 's', data));
    expect(lines.map((line) => line.replace('warning unusable-reference spec.introspection: ', ''))).toEqual(why);
    expect(lines.join()).not.toContain('canary');
  });
});

test.each([
  ['alice:$2y$12$0PqF1ZcVJ6Q2dXr1YF0m3OCkZ1Jx5m8m0a7m1uKk0k0Qw1m1v3n9S', undefined],
  ['', 'no user of it could log in'],
  ['alice:$apr1$abc$canary', 'no user of it could log in: not used: line 1 (an MD5 hash, which is no protection)'],
  ['alice:{SHA}canary', 'no user of it could log in: not used: line 1 (a SHA-1 hash, which is no protection)'],
  ['alice:canary', 'no user of it could log in: not used: line 1 (neither a bcrypt, an argon2 nor a scrypt hash)'],
])('users %j are told where they cannot be used', async (users, why) => {
  const lines = await told(
    provider('Basic', 'basic', '{secretRef: {name: s, key: users}}'),
    object('Secret', 's', { users }),
  );
  expect(lines).toEqual(
    why === undefined ? [] : [`warning unusable-reference spec.basic: the key users of the Secret shop/s: ${why}`],
  );
});

describe('a selector', () => {
  const keys = provider(
    'APIKey',
    'apiKey',
    '{from: [{header: x-api-key}], secretSelector: {matchLabels: {client: "true"}}}',
  );
  const key = { 'api-key': '0123456789abcdef' };
  const none = (count: number, hint = ''): string =>
    `warning missing-reference spec.apiKey.secretSelector: the selector takes none of the ${count} Secrets of the namespace shop among the documents, and lets nobody in until one has the labels client: "true"${hint}`;

  test('that takes a Secret is no news', async () => {
    expect(await told(keys, object('Secret', 'a', key, ', labels: {client: "true"}'))).toEqual([]);
  });

  test('that takes none is told', async () => {
    expect(await told(keys, object('Secret', 'a', key, ', labels: {client: "yes"}'))).toEqual([none(1)]);
    // Who keeps no Secrets beside the documents has them elsewhere.
    expect(await told(keys)).toEqual([]);
  });

  test('is told which Secret of another namespace it may have meant', async () => {
    const other = object('Secret', 'a', key, ', labels: {client: "true"}').replace('shop', 'web');
    expect(await told(keys, other)).toEqual([
      none(0, '; the Secret web/a has them, and a provider takes those of the namespace shop alone'),
    ]);
  });

  test('takes no Secret whose label is no text, which is told too', async () => {
    expect(await told(keys, object('Secret', 'a', key, ', labels: {client: true}'))).toEqual([
      none(1),
      'error invalid-value metadata.labels.client: client must be a text: write "true"',
    ]);
  });
});
