import { createHash, createHmac } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';

let stand: DecisionStand | undefined;
afterEach(() => stand?.close());

const provider = (name: string, spec: string): string => `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: ${name}, namespace: shop}
spec: ${spec}
---`;
const issuer = 'https://idp.example';
const jwt = provider('idp', `{type: JWT, jwt: {issuer: "${issuer}", audiences: [api]}}`);
const hmac = (name = 'partners'): string =>
  provider(name, '{type: SharedSecretJWT, sharedSecretJwt: {secretSelector: {matchLabels: {consumer: "1"}}}}');
const keys = (from = '[{header: x-api-key}, {query: api_key}]', name = 'keys'): string =>
  provider(name, `{type: APIKey, apiKey: {from: ${from}, secretSelector: {matchLabels: {client: "1"}}}}`);
const policy = (names: readonly string[], more = 'access: Authenticated'): string => `
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  hosts: [a.example]
  authentication: {providers: [${names.map((name) => `{name: ${name}}`).join(', ')}]}
  rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], ${more}}]
---`;
const secret = (name: string, label: string, data: string, namespace = 'shop', annotations = '{}'): string => `
apiVersion: v1
kind: Secret
metadata: {name: ${name}, namespace: ${namespace}, labels: {${label}: "1"}, annotations: ${annotations}}
stringData: {${data}}
---`;

const apiKey = 'k-0123456789abcdef';
const client = secret('acme', 'client', `api-key: ${apiKey}`);
const shared = 'a-shared-secret-of-32-bytes-or-more!';
const consumer = secret('globex', 'consumer', `key: globex, secret: "${shared}"`);

async function start(...parts: readonly string[]): Promise<DecisionStand> {
  const tokens = { alice: { issuer: 'idp', claims: { sub: 'alice' } } };
  stand = await createDecisionStand(documentsOf(parts.join('\n')), { issuers: { idp: { alg: 'RS256' } }, tokens });
  return stand;
}

type Headers = readonly (readonly [string, string])[];

async function ask(on: DecisionStand, headers: Headers, path = '/'): Promise<string> {
  const decision = await on.engine.check(rawRequest({ host: 'a.example', path, headers }));
  const { provider: by, subject } = decision.about.identity;
  return decision.kind === 'allow' ? `${by} ${subject}` : decision.denial.code;
}

const withToken = (token: string): Headers => [['authorization', `Bearer ${token}`]];
const withKey = (key = apiKey): Headers => [['x-api-key', key]];

function sign(header: object, claims: object, key: string | Buffer = shared): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}

describe('S17 several kinds of credential', () => {
  const claims = { iss: 'globex', exp: 4_000_000_000 };
  const hs256 = sign({ alg: 'HS256' }, claims);

  test('at one place are told apart by what they are, and never judged by another', async () => {
    const on = await start(jwt, hmac(), keys(), policy(['idp', 'partners', 'keys']), client, consumer);
    const alice = await on.mint.mint('alice');
    expect(await ask(on, withToken(alice))).toBe('idp alice');
    expect(await ask(on, withToken(hs256))).toBe('partners globex');
    expect(await ask(on, withKey())).toBe('keys acme');
    // With the issuer of the JWT provider in it, it is the HMAC provider's all the same: no public key is a secret.
    const jwks = JSON.stringify(await on.mint.jwks('idp'));
    for (const key of [jwks, Buffer.from(jwks), shared])
      expect(await ask(on, withToken(sign({ alg: 'HS256' }, { ...claims, iss: issuer, aud: 'api' }, key)))).toBe(
        'token_key',
      );
    expect(await ask(on, withToken(sign({ alg: 'none' }, { ...claims, iss: issuer })))).toBe('token_algorithm');
    expect(await ask(on, withToken(sign({ alg: 'none' }, claims)))).toBe('token_issuer');
    expect(await ask(on, withToken(sign({ alg: 'RS256' }, claims)))).toBe('token_issuer');
    expect(await ask(on, withToken(apiKey))).toBe('token_malformed');
    expect(await ask(on, withKey(hs256))).toBe('credential_unknown');
  });

  test('two on one request are ambiguous, whichever they are and however good', async () => {
    const on = await start(jwt, hmac(), keys(), policy(['idp', 'partners', 'keys']), client, consumer);
    expect(await ask(on, [...withToken(hs256), ...withKey()])).toBe('credential_ambiguous');
    expect(await ask(on, [...withToken(await on.mint.mint('alice')), ...withKey('wrong')])).toBe(
      'credential_ambiguous',
    );
    expect(await ask(on, withKey(), `/?api_key=${apiKey}`)).toBe('credential_ambiguous');
    expect(await ask(on, [...withKey(), ...withKey()])).toBe('header_duplicated');
    expect(await ask(on, [], `/?api_key=${apiKey}&api_key=${apiKey}`)).toBe('credential_ambiguous');
    expect(await ask(on, [], `/?api%5Fkey=${apiKey}`)).toBe('credential_ambiguous');
    expect(await ask(on, [], `/?api_key=${apiKey}`)).toBe('keys acme');
  });

  test('a place holds a credential where it is empty', async () => {
    const on = await start(keys(), policy(['keys'], 'access: Optional'), client);
    expect(await ask(on, [])).toBe(' ');
    expect(await ask(on, withKey(''))).toBe('token_malformed');
    expect(await ask(on, withKey('wrong'))).toBe('credential_unknown');
    expect(await ask(on, [], '/?api_key=')).toBe('token_malformed');
  });

  test.each([
    ['two that judge HMACs', [hmac(), hmac('others')], ['partners', 'others'], 'both judge tokens with an HMAC'],
    [
      'an API key where tokens are',
      [hmac(), keys('[{header: authorization, scheme: bearer}]')],
      ['partners', 'keys'],
      'both take what stands in the header authorization with the scheme Bearer',
    ],
    [
      'two that take API keys from one place',
      [keys(), keys('[{query: api_key}]', 'others')],
      ['keys', 'others'],
      'both take what stands in the query parameter api_key',
    ],
  ])('%s at one place are a Problem, and the policy denies', async (_, providers, names, why) => {
    const on = await start(...providers, policy(names), client, consumer);
    const document = on.engine.status().documents.find(({ key }) => key === 'AccessPolicy shop/orders');
    expect(document?.problems.map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringContaining(`ambiguous-provider ${names[0]}`),
    ]);
    expect(document?.problems[0]?.message).toContain(why);
    expect(await ask(on, withKey())).toBe('policy_invalid');
  });
});

describe('what stands upstream and in rules', () => {
  test('S20, S27 the key is taken away, wherever it stands, and on public rules too', async () => {
    for (const access of ['access: Authenticated', 'access: Public']) {
      const on = await start(keys(), policy(['keys'], access), client);
      const inHeader = await on.engine.check(rawRequest({ host: 'a.example', path: '/', headers: withKey() }));
      const inQuery = await on.engine.check(rawRequest({ host: 'a.example', path: `/?api_key=${apiKey}` }));
      expect([inHeader, inQuery]).toMatchObject([
        { kind: 'allow', upstream: { removeHeaders: expect.arrayContaining(['x-api-key']) } },
        { kind: 'allow', upstream: { removeQueryParameters: ['api_key'] } },
      ]);
      on.close();
    }
  });

  test('S21 who has no claims is told so, and not that a claim is wrong', async () => {
    const rule = 'access: Restricted, authorization: {claims: [{claim: tenant, exists: false}]}';
    const on = await start(keys(), policy(['keys'], rule), client);
    const decision = await on.engine.check(rawRequest({ host: 'a.example', path: '/', headers: withKey() }));
    expect(decision).toMatchObject({
      denial: { message: 'The identity has no claims, so that no test of one holds.' },
    });
  });

  test('S21 a claim test on an API key fails, exists: false too; its roles and scopes count', async () => {
    const ofClient = (annotations: string): string =>
      secret('acme', 'client', `api-key: ${apiKey}`, 'shop', annotations);
    const rule = (authorization: string): string => `access: Restricted, authorization: {${authorization}}`;
    const cases: readonly [string, string, string][] = [
      ['claims: [{claim: tenant, exists: false}]', '{}', 'claim_mismatch'],
      ['claims: [{claim: tenant, in: [a]}]', '{}', 'claim_mismatch'],
      ['when: [{expression: "identity.claims.tenant == \'a\'"}]', '{}', 'condition_error'],
      ['roles: {anyOf: [partner]}', '{}', 'role_missing'],
      ['roles: {anyOf: [partner]}', '{portcullis.dev/roles: "buyer,partner"}', 'keys acme'],
      ['scopes: {allOf: [a, b]}', '{portcullis.dev/scopes: a}', 'insufficient_scope'],
      ['scopes: {allOf: [a, b]}', '{portcullis.dev/scopes: a b}', 'keys acme'],
      ['when: [{expression: "identity.clientId == \'web\'"}]', '{portcullis.dev/client-id: web}', 'keys web'],
    ];
    for (const [authorization, annotations, expected] of cases) {
      const on = await start(keys(), policy(['keys'], rule(authorization)), ofClient(annotations));
      expect([authorization, annotations, await ask(on, withKey())]).toEqual([authorization, annotations, expected]);
      on.close();
    }
  });
});

describe('the Secrets of a provider', () => {
  const base = [keys(), policy(['keys'])];

  test('promise 6: are those of its namespace with all of its labels', async () => {
    const elsewhere = secret('acme', 'client', `api-key: ${apiKey}`, 'team-b');
    const unlabelled = secret('acme', 'other', `api-key: ${apiKey}`);
    expect(await ask(await start(...base, elsewhere), withKey())).toBe('credential_unknown');
    expect(await ask(await start(...base, unlabelled), withKey())).toBe('credential_unknown');
    expect(await ask(await start(...base, client), withKey())).toBe('keys acme');
  });

  test('of a cluster provider are those of the namespace of the service', async () => {
    const cluster = keys()
      .replace('kind: IdentityProvider', 'kind: ClusterIdentityProvider')
      .replace(', namespace: shop', '');
    const named = policy(['keys']).replace('{name: keys}', '{kind: ClusterIdentityProvider, name: keys}');
    expect(await ask(await start(cluster, named, client), withKey())).toBe('credential_unknown');
    const ours = secret('acme', 'client', `api-key: ${apiKey}`, 'portcullis');
    expect(await ask(await start(cluster, named, ours), withKey())).toBe('keys acme');
  });

  test('come and go without anything else changing, and are told to whoever writes status', async () => {
    const on = await start(...base, '');
    const told: (readonly string[])[] = [];
    on.engine.onChange(({ keys: changed }) => void told.push(changed));
    const answers = [await ask(on, withKey())];
    const steps = [client, client.replace(apiKey, `${apiKey}-2`), client, client.replace('client:', 'other:')];
    const documents = documentsOf(base.join('\n'));
    for (const next of [...steps, '']) {
      await on.apply([...documents, ...documentsOf(next)]);
      answers.push(await ask(on, withKey()));
    }
    expect(answers).toEqual([
      'credential_unknown',
      'keys acme',
      'credential_unknown',
      'keys acme',
      'credential_unknown',
      'credential_unknown',
    ]);
    const renewed = ['IdentityProvider shop/keys'];
    // The last one was of no provider any more.
    expect(told).toEqual([renewed, renewed, renewed, renewed, []]);
  });

  test('a verified token does not outlive the secret', async () => {
    const claims = { iss: 'globex', exp: 4_000_000_000 };
    const token = withToken(sign({ alg: 'HS256' }, claims));
    const parts = [hmac(), policy(['partners'])];
    const on = await start(...parts, consumer);
    const answers = [await ask(on, token), await ask(on, token)];
    await on.apply(documentsOf([...parts, consumer.replace(shared, `${shared}?`)].join('\n')));
    answers.push(await ask(on, token));
    await on.apply(documentsOf([...parts, consumer].join('\n')));
    answers.push(await ask(on, token));
    await on.apply(documentsOf(parts.join('\n')));
    answers.push(await ask(on, token));
    expect(answers).toEqual(['partners globex', 'partners globex', 'token_signature', 'partners globex', 'token_key']);
  });

  test('promise 7: nothing that status or log say holds a key, a hash or a secret', async () => {
    const on = await start(
      ...base,
      hmac(),
      secret('a', 'client', 'api-key: short-one'),
      secret('b', 'client', `api-key: ${apiKey}, api-key-sha256: ${createHash('sha256').update('x').digest('hex')}`),
      secret('c', 'consumer', 'key: c, secret: not-long-enough'),
      client,
      secret('d', 'client', `api-key: ${apiKey}`),
    );
    await ask(on, withKey());
    const told = JSON.stringify([on.log, on.engine.status()]);
    expect(told).toContain('Secret a: the API key has less than 16 characters');
    const digest = createHash('sha256').update(apiKey).digest('hex');
    for (const held of [apiKey, 'short-one', 'not-long-enough', digest]) expect(told).not.toContain(held);
  });
});
