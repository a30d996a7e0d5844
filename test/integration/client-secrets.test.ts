import { createHash, createHmac } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exchange } from '../../src/dev/http-exchange.ts';
import { outcomeOfAnswer } from '../../src/dev/outcome.ts';
import { eventually } from '../support/eventually.ts';
import { startStand, type Stand } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

const policies = (issuer: string): string => `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec: {type: JWT, jwt: {issuer: "${issuer}", audiences: [orders]}}
---
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: partners, namespace: shop}
spec: {type: SharedSecretJWT, sharedSecretJwt: {secretSelector: {matchLabels: {portcullis.dev/consumer: "true"}}}}
---
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: keys, namespace: shop}
spec:
  type: APIKey
  apiKey:
    from: [{header: x-api-key}, {query: api_key}]
    secretSelector: {matchLabels: {portcullis.dev/api-key: "true"}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  hosts: [shop.example]
  authentication: {providers: [{name: idp}, {name: partners}, {name: keys}]}
  rules:
  - {name: read, matches: [{path: {type: PathPrefix, value: /orders}, methods: [GET]}], access: Authenticated}
  - name: write
    matches: [{path: {type: PathPrefix, value: /orders}, methods: [POST]}]
    access: Restricted
    authorization: {roles: {anyOf: [writer]}, providers: [keys, partners]}
  upstream:
    headers: [{name: x-user, expression: "identity.provider + ' ' + identity.subject"}]
`;

const secret = (name: string, label: string, data: string, annotations = '{}'): string => `
apiVersion: v1
kind: Secret
metadata: {name: ${name}, namespace: shop, labels: {portcullis.dev/${label}: "true"}, annotations: ${annotations}}
stringData: {${data}}
`;

const key = 'k-acme-0123456789abcdef';
const shared = 'a-shared-secret-of-32-bytes-or-more!';
const sha256 = createHash('sha256').update(key).digest('hex');

function hmacToken(claims: object, by = shared, alg = 'HS256'): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
  return `${input}.${createHmac('sha256', by).update(input).digest('base64url')}`;
}

describeWithEnvoy('API keys and HMAC tokens, through a real Envoy from a folder', (envoyBinary) => {
  let stand: Stand;
  const write = (name: string, text: string): Promise<void> => writeFile(join(stand.policyFolder, name), text);

  beforeAll(async () => {
    stand = await startStand({ envoyBinary, policies });
    await write('acme.yaml', secret('acme', 'api-key', `api-key-sha256: ${sha256}`, '{portcullis.dev/roles: writer}'));
    await write(
      'past.yaml',
      secret('past', 'api-key', `api-key: ${key}-past`, '{portcullis.dev/expires: "2020-01-01T00:00:00Z"}'),
    );
    await write('globex.yaml', secret('globex', 'consumer', `key: globex, secret: "${shared}"`));
    await eventually(async () => expect(await ask({ 'x-api-key': key })).toMatchObject({ decision: 'allow' }));
  });
  afterAll(() => stand?.close());

  const ask = async (headers: Readonly<Record<string, string>>, path = '/orders', method = 'GET') => {
    const answer = await exchange(stand.port, { method, path, headers: { host: 'shop.example', ...headers } });
    return outcomeOfAnswer(answer.status, answer.body);
  };
  const outcome = async (...request: Parameters<typeof ask>): Promise<string> => {
    const answer = await ask(...request);
    if (answer.decision === 'deny') return `${answer.status} ${answer.code ?? answer.message}`;
    const held = ['x-api-key', 'authorization'].filter((name) => answer.upstream.has(name));
    return [answer.upstream.get('x-user'), ...held].join(' ');
  };
  const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });
  const claims = { iss: 'globex', exp: 4_000_000_000 };

  it('lets a client in by its key, in the header or the query, and passes neither on', async () => {
    expect(await outcome({ 'x-api-key': key, 'x-user': 'root' })).toBe('keys acme');
    expect(await outcome({}, `/orders?api_key=${key}&a=1`)).toBe('keys acme');
    expect(await outcome({ 'x-api-key': key }, '/orders', 'POST')).toBe('keys acme');
  });

  it('lets a consumer in by its token, and a user by that of the issuer', async () => {
    expect(await outcome(bearer(hmacToken(claims)))).toBe('partners globex');
    expect(await outcome(bearer(await stand.issuer.sign({ sub: 'alice' })))).toBe('idp alice');
  });

  it.each<[string, () => Parameters<typeof ask> | Promise<Parameters<typeof ask>>, string]>([
    ['no credential', () => [{}], '401 credential_missing'],
    ['a key cut short', () => [{ 'x-api-key': key.slice(1) }], '401 credential_unknown'],
    ['a key in capitals', () => [{ 'x-api-key': key.toUpperCase() }], '401 credential_unknown'],
    ['the hash of a key', () => [{ 'x-api-key': sha256 }], '401 credential_unknown'],
    ['a key past its end', () => [{ 'x-api-key': `${key}-past` }], '401 token_expired'],
    ['an empty key', () => [{ 'x-api-key': '' }], '401 token_malformed'],
    ['a key as Bearer', () => [bearer(key)], '401 token_malformed'],
    ['two credentials', () => [{ 'x-api-key': key, ...bearer(hmacToken(claims)) }], '400 credential_ambiguous'],
    ['a wrong secret', () => [bearer(hmacToken(claims, `${shared}!`))], '401 token_signature'],
    ['the key as the secret', () => [bearer(hmacToken(claims, key))], '401 token_signature'],
    ['no end', () => [bearer(hmacToken({ iss: 'globex' }))], '401 token_claim'],
    ['an end that is past', () => [bearer(hmacToken({ ...claims, exp: 1 }))], '401 token_expired'],
    ['no algorithm', () => [bearer(hmacToken(claims, shared, 'none'))], '401 token_issuer'],
    [
      'an HMAC in the name of the issuer',
      async () => [bearer(hmacToken({ ...claims, iss: stand.issuer.issuer, aud: 'orders' }))],
      '401 token_key',
    ],
    ['a consumer without the role', () => [bearer(hmacToken(claims)), '/orders', 'POST'], '403 role_missing'],
    [
      'a user, where clients alone may write',
      async () => [bearer(await stand.issuer.sign({ sub: 'alice', roles: ['writer'] })), '/orders', 'POST'],
      '403 provider_not_allowed',
    ],
  ])('refuses %s', async (_, request, expected) => {
    expect(await outcome(...(await request()))).toBe(expected);
  });

  it('follows the Secrets: a second key of a client, then the first one gone, and a secret that changes', async () => {
    await write('acme-2.yaml', secret('acme-2', 'api-key', `api-key: ${key}-2`, '{portcullis.dev/client-id: acme}'));
    await eventually(async () => expect(await outcome({ 'x-api-key': `${key}-2` })).toBe('keys acme'));
    expect(await outcome({ 'x-api-key': key })).toBe('keys acme');
    await rm(join(stand.policyFolder, 'acme.yaml'));
    await eventually(async () => expect(await outcome({ 'x-api-key': key })).toBe('401 credential_unknown'));
    expect(await outcome({ 'x-api-key': `${key}-2` })).toBe('keys acme');
    await write('globex.yaml', secret('globex', 'consumer', `key: globex, secret: "${shared}?"`));
    await eventually(async () => expect(await outcome(bearer(hmacToken(claims)))).toBe('401 token_signature'));
    expect(await outcome(bearer(hmacToken(claims, `${shared}?`)))).toBe('partners globex');
  });
});
