import { describe, expect, test } from 'vitest';
import { readDocuments } from '../../../src/files/read-documents.ts';
import { parseDocument, type ParsedDocument } from '../../../src/policy/parse-document.ts';

function provider(spec: string, kind = 'IdentityProvider'): ParsedDocument {
  const [document] = readDocuments(
    'p.yaml',
    `apiVersion: portcullis.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: p, namespace: shop}\nspec: ${spec}\n`,
  );
  if (document === undefined) throw new Error('no document');
  return parseDocument(document, { serviceNamespace: 'portcullis' });
}

const jwt = (more: string): string => `{type: JWT, jwt: {issuer: "https://idp.example", audiences: [api]${more}}}`;

describe('a provider of type JWT', () => {
  test('has the defaults of the contract', () => {
    expect(provider(jwt(''))).toEqual({
      kind: 'accepted',
      key: 'IdentityProvider shop/p',
      problems: [],
      spec: {
        kind: 'IdentityProvider',
        type: 'JWT',
        namespace: 'shop',
        name: 'p',
        issuer: 'https://idp.example',
        audiences: ['api'],
        keys: { type: 'Discovery' },
        ca: undefined,
        algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'],
        profile: 'Any',
        clockSkew: 30,
        maxLifetime: undefined,
        requiredClaims: [],
        from: [{ in: 'header', name: 'authorization', scheme: 'Bearer' }],
        claims: { subject: 'sub', scopes: ['scope', 'scp'], roles: [] },
        binding: { certificate: 'IfBound', dpop: 'IfBound' },
        dpopNonce: 'Never',
      },
    });
  });

  test('of the cluster has no namespace, and its ConfigMaps are in that of the service', () => {
    const parsed = provider(jwt(', jwks: {configMapRef: {name: keys, key: jwks.json}}'), 'ClusterIdentityProvider');
    expect(parsed).toMatchObject({
      key: 'ClusterIdentityProvider p',
      spec: {
        namespace: '',
        keys: { type: 'ConfigMap', ref: { namespace: 'portcullis', name: 'keys', key: 'jwks.json' } },
      },
    });
  });

  test.each([
    ', jwks: {uri: "https://idp.example/keys"}',
    ', jwks: {uri: "https://idp.example/keys", caRef: {name: ca, key: ca.crt}}',
    ', jwks: {caRef: {name: ca, key: ca.crt}}',
    `, jwks: {inline: '{"keys":[{"kty":"oct"}]}'}`,
    ', clockSkew: 300s, maxLifetime: 24h, requiredClaims: [sub, "/a/b"]',
    ', from: [{header: x-token}, {cookie: t}, {query: t}, {header: authorization, scheme: Token}]',
    ', claims: {subject: email, scopes: [perm], roles: ["/realm_access/roles"]}',
    ', binding: {certificate: IfBound, dpop: IfBound}',
    ', binding: {certificate: Required, dpop: Required, dpopNonce: Required}',
    ', binding: {certificate: Ignore, dpop: Ignore}',
    ', from: [{header: authorization, scheme: DPoP}], binding: {dpop: Required}',
    ', algorithms: [EdDSA], profile: AccessToken',
  ])('takes %s', (more) => {
    expect(provider(jwt(more))).toMatchObject({ kind: 'accepted', problems: [] });
  });

  test.each([
    [', jwks: {}', 'invalid-value'],
    [', jwks: {uri: "ftp://x"}', 'invalid-value'],
    [', jwks: {uri: "https://u:p@idp.example/"}', 'invalid-value'],
    [`, jwks: {uri: "https://idp.example/keys", inline: '{"keys":[1]}'}`, 'invalid-value'],
    [`, jwks: {inline: '{"keys":[]}'}`, 'invalid-value'],
    [', jwks: {inline: "not json"}', 'invalid-value'],
    [', algorithms: [HS256]', 'invalid-value'],
    [', algorithms: [none]', 'invalid-value'],
    [', maxLifetime: 1 day', 'invalid-value'],
    [', algorithms: []', 'invalid-value'],
    [', clockSkew: 301s', 'invalid-value'],
    [', clockSkew: "30"', 'invalid-value'],
    [', from: []', 'invalid-value'],
    [', from: [{}]', 'invalid-value'],
    [', from: [{header: a, cookie: b}]', 'invalid-value'],
    [', from: [{cookie: b, scheme: Bearer}]', 'invalid-value'],
    [', from: [{header: cookie}]', 'forbidden-header'],
    [', from: [{header: host}]', 'forbidden-header'],
    [', from: [{header: a}, {header: A}]', 'duplicate-name'],
    [', from: [{query: "a b"}]', 'invalid-value'],
    [', claims: {roles: ["/a~b"]}', 'invalid-value'],
    [', binding: {certificate: Perhaps}', 'invalid-value'],
    [', binding: {dpop: Always}', 'invalid-value'],
    [', binding: {dpopNonce: Sometimes}', 'invalid-value'],
    [', binding: {dpop: Ignore, dpopNonce: Required}', 'invalid-value'],
    [', from: [{header: authorization, scheme: DPoP}], binding: {dpop: Ignore}', 'invalid-value'],
    [', from: [{cookie: t}], binding: {dpop: Required}', 'invalid-value'],
    [', audience: [x]', 'unknown-field'],
    [', profile: Access', 'invalid-value'],
  ])('refuses %s', (more, code) => {
    const parsed = provider(jwt(more));
    expect(parsed.kind).toBe('refused');
    expect(parsed.problems.map((problem) => problem.code)).toContain(code);
  });

  test.each([
    [', algorithms: [HS256]', 'are of a provider of type SharedSecretJWT'],
    [', maxLifetime: 1 day', 'write a duration such as 90s, 15m or 24h'],
  ])('says what to do about %s', (more, remedy) => {
    expect(provider(jwt(more)).problems.map(({ message }) => message)).toEqual([expect.stringContaining(remedy)]);
  });

  test.each([
    ['{type: JWT}', 'missing-field'],
    ['{jwt: {issuer: "https://a", audiences: [a]}}', 'missing-field'],
    ['{type: JWT, jwt: {issuer: "https://a"}}', 'missing-field'],
    ['{type: JWT, jwt: {issuer: "https://a", audiences: []}}', 'invalid-value'],
    ['{type: JWT, jwt: {issuer: "plain", audiences: [a]}}', 'invalid-value'],
    ['{type: Jwt, jwt: {issuer: "https://a", audiences: [a]}}', 'invalid-value'],
    ['{type: APIKey, apiKey: {}}', 'missing-field'],
    ['{type: Login}', 'unsupported'],
    ['{type: JWT, jwt: {issuer: "https://a", audiences: [a]}, login: {}}', 'unsupported'],
    ['{type: JWT, jwt: {issuer: "https://a", audiences: [a]}, basic: {secretRef: {name: a, key: b}}}', 'invalid-value'],
    ['{type: Basic}', 'missing-field'],
    ['{type: Basic, basic: {}}', 'missing-field'],
    ['{type: Basic, basic: {secretRef: {name: a}}}', 'missing-field'],
    ['{type: Basic, basic: {secretRef: {name: a, key: b}, realm: c}}', 'unknown-field'],
  ])('refuses %s', (spec, code) => {
    const parsed = provider(spec);
    expect(parsed.kind).toBe('refused');
    expect(parsed.problems.map((problem) => problem.code)).toContain(code);
  });

  test('with keys of its own an issuer may be any text', () => {
    const parsed = provider(
      `{type: JWT, jwt: {issuer: kubernetes/serviceaccount, audiences: [a], jwks: {inline: '{"keys":[{}]}'}}}`,
    );
    expect(parsed.kind).toBe('accepted');
  });

  test('an issuer has no control character, which no list of revocations could name', () => {
    const of = (name: string) =>
      provider(`{type: JWT, jwt: {issuer: "${name}", audiences: [a], jwks: {inline: '{"keys":[{}]}'}}}`);
    expect(of('my issuer é').kind).toBe('accepted');
    for (const name of ['my\\tissuer', 'issuer\\n', '\\x7f', '\\x85issuer'])
      expect(of(name)).toMatchObject({ kind: 'refused', problems: [{ code: 'invalid-value' }] });
  });

  test('its Problems never quote the key set', () => {
    const parsed = provider(jwt(', jwks: {inline: "secret-canary-4711"}'));
    expect(JSON.stringify(parsed.problems)).not.toContain('canary');
  });
});

describe('a provider of type ClientCertificate', () => {
  const certificate = (part: string): string => `{type: ClientCertificate, clientCertificate: ${part}}`;
  const ca = 'caRef: {name: client-ca, key: ca.crt}';

  test('has its authorities and lists in its namespace', () => {
    const text = `{source: Certificate, ${ca}, crlRef: {name: client-ca, key: crl.pem}, spiffe: {trustDomains: [cluster.local]}}`;
    expect(provider(certificate(text))).toEqual({
      kind: 'accepted',
      key: 'IdentityProvider shop/p',
      problems: [],
      spec: {
        kind: 'IdentityProvider',
        type: 'ClientCertificate',
        namespace: 'shop',
        name: 'p',
        source: 'Certificate',
        ca: { namespace: 'shop', name: 'client-ca', key: 'ca.crt' },
        crl: { namespace: 'shop', name: 'client-ca', key: 'crl.pem' },
        spiffe: { trustDomains: ['cluster.local'] },
      },
    });
  });

  test.each([
    '{source: ValidatedPrincipal}',
    '{source: ValidatedPrincipal, spiffe: {trustDomains: [cluster.local, td.example]}}',
    `{source: Certificate, ${ca}}`,
    '{source: ForwardedCertificate}',
    `{source: ForwardedCertificate, ${ca}}`,
  ])('takes %s', (part) => {
    const parsed = provider(certificate(part));
    expect([parsed.kind, parsed.problems.filter(({ code }) => code !== 'believed-names')]).toEqual(['accepted', []]);
  });

  test.each([
    ['{}', 'missing-field'],
    ['{source: Principal}', 'invalid-value'],
    ['{source: Certificate}', 'missing-field'],
    [`{source: ValidatedPrincipal, ${ca}}`, 'invalid-value'],
    ['{source: ForwardedCertificate, crlRef: {name: c, key: k}}', 'invalid-value'],
    ['{source: ValidatedPrincipal, spiffe: {}}', 'missing-field'],
    ['{source: ValidatedPrincipal, spiffe: {trustDomains: []}}', 'invalid-value'],
    ['{source: ValidatedPrincipal, spiffe: {trustDomains: ["spiffe://cluster.local"]}}', 'invalid-value'],
    ['{source: ValidatedPrincipal, spiffe: {trustDomains: [Cluster.local]}}', 'invalid-value'],
    ['{source: ValidatedPrincipal, trustDomains: [cluster.local]}', 'unknown-field'],
  ])('refuses %s', (part, code) => {
    const parsed = provider(certificate(part));
    expect(parsed.kind).toBe('refused');
    expect(parsed.problems.map((problem) => problem.code)).toContain(code);
  });
});

const introspection = (more: string): string =>
  `{type: Introspection, introspection: {endpoint: "https://idp.example/introspect", audiences: [api], clientAuthentication: {method: Basic, secretRef: {name: client}}${more}}}`;

describe('a provider of type Introspection', () => {
  test('has the defaults of the contract', () => {
    expect(provider(introspection(''))).toEqual({
      kind: 'accepted',
      key: 'IdentityProvider shop/p',
      problems: [],
      spec: {
        kind: 'IdentityProvider',
        type: 'Introspection',
        namespace: 'shop',
        name: 'p',
        endpoint: 'https://idp.example/introspect',
        clientAuthentication: { method: 'Basic', secret: { namespace: 'shop', name: 'client' } },
        issuer: undefined,
        audiences: ['api'],
        ca: undefined,
        signedAnswers: false,
        claims: { subject: 'sub', scopes: ['scope'], roles: [] },
        cacheTtl: 60,
        timeout: 2,
        from: [{ in: 'header', name: 'authorization', scheme: 'Bearer' }],
      },
    });
  });

  test('of the cluster has its Secret and certificates in the namespace of the service', () => {
    expect(provider(introspection(', caRef: {name: ca, key: ca.crt}'), 'ClusterIdentityProvider')).toMatchObject({
      spec: {
        clientAuthentication: { secret: { namespace: 'portcullis', name: 'client' } },
        ca: { namespace: 'portcullis', name: 'ca', key: 'ca.crt' },
      },
    });
  });

  test.each([
    ', cache: {ttl: 0s}, timeout: 30s',
    ', cache: {ttl: 1h}, timeout: 1ms',
    ', issuer: any-text',
    ', issuer: "https://idp.example", signedAnswers: Required',
    ', signedAnswers: Never',
    ', claims: {subject: username, scopes: [scope, perms], roles: ["/realm_access/roles"]}',
  ])('takes %s', (more) => {
    expect(provider(introspection(more))).toMatchObject({ kind: 'accepted', problems: [] });
  });

  test.each([
    [', cache: {ttl: 3601s}', 'invalid-value'],
    [', cache: {}', 'invalid-value'],
    [', timeout: 0s', 'invalid-value'],
    [', timeout: 31s', 'invalid-value'],
    [', signedAnswers: Required', 'missing-field'],
    [', signedAnswers: Required, issuer: any-text', 'invalid-value'],
    [', signedAnswers: Required, issuer: "https://idp.example?a"', 'invalid-value'],
    [', signedAnswers: IfOffered', 'invalid-value'],
    [', claims: {roles: ["/a~b"]}', 'invalid-value'],
    [', claims: {role: [a]}', 'unknown-field'],
    [', clockSkew: 30s', 'unknown-field'],
    [', caRef: {name: ca}', 'missing-field'],
  ])('refuses %s', (more, code) => {
    const parsed = provider(introspection(more));
    expect([parsed.kind, parsed.problems.map((problem) => problem.code)]).toEqual([
      'refused',
      expect.arrayContaining([code]),
    ]);
  });

  test.each([
    ['https://idp.example', 'ftp://idp.example'],
    ['https://idp.example', 'https://user:secret@idp.example'],
    ['audiences: [api]', 'audiences: []'],
    ['audiences: [api], ', ''],
    ['method: Basic', 'method: None'],
    [', secretRef: {name: client}', ''],
    ['{name: client}', '{name: client, namespace: other}'],
  ])('refuses %s where it is changed to %s', (from, to) => {
    expect(provider(introspection('').replace(from, to)).kind).toBe('refused');
  });
});
