import { describe, expect, test } from 'vitest';
import { hasError } from '../../../src/core/problem.ts';
import { validateSources } from '../../../src/runtime/validate.ts';

const provider = (name: string): string =>
  `apiVersion: portcullis.dev/v1alpha1\nkind: IdentityProvider\nmetadata: {name: ${name}, namespace: shop}\nspec: {type: JWT, jwt: {issuer: "https://${name}.example", audiences: [a]}}\n`;

interface PolicyParts {
  readonly name?: string;
  readonly hosts?: string;
  readonly mode?: string;
}

const policy = (rules: readonly string[], parts: PolicyParts = {}): string => {
  const { name = 'p', hosts = 'api.example.com', mode = 'Enforce' } = parts;
  return `apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: {hosts: ["${hosts}"], mode: ${mode}, authentication: {providers: [{name: idp}]}, rules: [${rules.join(', ')}]}\n`;
};

const rule = (name: string, access: string, match: string, more = ''): string =>
  `{name: ${name}, access: ${access}, matches: [${match}]${more === '' ? '' : `, ${more}`}}`;
const prefix = (value: string, more = ''): string => `{path: {type: PathPrefix, value: "${value}"}${more}}`;
const exact = (value: string, more = ''): string => `{path: {type: Exact, value: "${value}"}${more}}`;
const regex = (value: string, more = ''): string => `{path: {type: RegularExpression, value: "${value}"}${more}}`;

/** The warnings as `code field`; there must be no errors. */
async function warnings(...documents: readonly string[]): Promise<readonly string[]> {
  const text = [provider('idp'), provider('other'), ...documents].join('---\n');
  const { problems } = await validateSources(['-'], () => Promise.resolve(text));
  expect(hasError(problems), JSON.stringify(problems)).toBe(false);
  return problems.map(({ code, field }) => `${code} ${field}`);
}

type Case = readonly [title: string, first: string, second: string];

const pairOf = ([, first, second]: Case): Promise<readonly string[]> => warnings(policy([first, second]));

describe('rule-unreachable: a rule that never decides', () => {
  test.each<Case>([
    [
      'a Public rule beside a Restricted one of the same match',
      rule('a', 'Public', prefix('/x')),
      rule('b', 'Authenticated', prefix('/x')),
    ],
    [
      'an Optional rule beside one that asks',
      rule('a', 'Optional', exact('/x')),
      rule('b', 'Authenticated', exact('/x')),
    ],
    ['a rule below a Denied prefix', rule('a', 'Authenticated', exact('/x/y')), rule('b', 'Denied', prefix('/x'))],
    ['also in another case', rule('a', 'Authenticated', prefix('/X/y')), rule('b', 'Denied', prefix('/x'))],
    [
      'a regular expression below a Denied prefix',
      rule('a', 'Authenticated', regex('/x/[0-9]+')),
      rule('b', 'Denied', prefix('/x')),
    ],
    [
      'HEAD where GET is denied',
      rule('a', 'Authenticated', prefix('/x', ', methods: [HEAD]')),
      rule('b', 'Denied', prefix('/x', ', methods: [GET]')),
    ],
  ])('%s', async (...pair) => {
    expect(await pairOf(pair)).toContain('rule-unreachable spec.rules[0]');
  });

  test.each<Case>([
    ['of another path', rule('a', 'Public', prefix('/x')), rule('b', 'Authenticated', prefix('/y'))],
    [
      'of more methods',
      rule('a', 'Public', prefix('/x')),
      rule('b', 'Authenticated', prefix('/x', ', methods: [GET]')),
    ],
    [
      'with fewer conditions',
      rule('a', 'Public', prefix('/x')),
      rule('b', 'Authenticated', prefix('/x', ', headers: [{name: a, value: b}]')),
    ],
    [
      'with a match of its own',
      rule('a', 'Authenticated', `${prefix('/x')}, ${prefix('/z')}`),
      rule('b', 'Denied', prefix('/x')),
    ],
    [
      'whose neighbour is denied by segment',
      rule('a', 'Authenticated', prefix('/xy')),
      rule('b', 'Denied', prefix('/x')),
    ],
    [
      'a regular expression that leaves the Denied prefix',
      rule('a', 'Authenticated', regex('/x[0-9]+')),
      rule('b', 'Denied', prefix('/x')),
    ],
    [
      'that is denied to some addresses',
      rule('a', 'Authenticated', prefix('/x')),
      rule('b', 'Denied', prefix('/x'), 'addresses: {allow: [10.0.0.0/8]}'),
    ],
    [
      'that is denied under a condition',
      rule('a', 'Authenticated', prefix('/x')),
      rule('b', 'Denied', prefix('/x'), `when: [{expression: "request.scheme == 'http'"}]`),
    ],
    [
      'that names methods above one that names none',
      rule('a', 'Public', prefix('/x', ', methods: [GET]')),
      rule('b', 'Authenticated', prefix('/x')),
    ],
  ])('not one %s', async (...pair) => {
    expect(await pairOf(pair)).toEqual([]);
  });
});

describe('rule-shadowed: a rule whose upstream and response are never used', () => {
  test('the later of two that match the same', async () => {
    const both = [rule('a', 'Authenticated', prefix('/x')), rule('b', 'Authenticated', prefix('/x'))];
    expect(await warnings(policy(both))).toEqual(['rule-shadowed spec.rules[1]']);
  });

  test('one that asks for more of the request than the rule before it', async () => {
    const narrow = rule('b', 'Authenticated', prefix('/x', ', methods: [GET], queryParams: [{name: a, value: b}]'));
    expect(await warnings(policy([rule('a', 'Authenticated', prefix('/x', ', methods: [GET, PUT]')), narrow]))).toEqual(
      ['rule-shadowed spec.rules[1]'],
    );
  });

  test('not one for other methods', async () => {
    const others = rule('b', 'Authenticated', prefix('/x', ', methods: [PUT]'));
    expect(await warnings(policy([rule('a', 'Authenticated', prefix('/x', ', methods: [GET]')), others]))).toEqual([]);
  });
});

describe('deny-never: a Denied rule that hits nobody', () => {
  test.each([
    ['whose addresses refuse nobody', rule('a', 'Denied', prefix('/x'), 'addresses: {allow: ["0.0.0.0/0", "::/0"]}')],
  ])('%s', async (_title, denied) => {
    expect(await warnings(policy([denied]))).toEqual(['deny-never spec.rules[0]']);
  });

  test.each([
    ['whose addresses refuse some', rule('a', 'Denied', prefix('/x'), 'addresses: {allow: ["0.0.0.0/0"]}')],
    ['that denies addresses', rule('a', 'Denied', prefix('/x'), 'addresses: {deny: [10.0.0.0/8]}')],
    ['that matches another header', rule('a', 'Denied', prefix('/x', ', headers: [{name: x-host, value: a}]'))],
  ])('not one %s', async (_title, denied) => {
    expect(await warnings(policy([denied]))).toEqual([]);
  });

  test('in the floor too', async () => {
    const floor = (addresses: string): string =>
      `apiVersion: portcullis.dev/v1alpha1\nkind: ClusterAccessPolicy\nmetadata: {name: floor}\nspec: {rules: [${rule('a', 'Denied', prefix('/x'), `addresses: ${addresses}`)}]}\n`;
    expect(await warnings(floor('{allow: ["::/0", "0.0.0.0/0"]}'))).toEqual(['deny-never spec.rules[0]']);
    expect(await warnings(floor('{allow: ["::/0"]}'))).toEqual([]);
  });
});

describe('deny-covered: a Denied rule that says what another one says', () => {
  test.each<readonly [...Case, covered: number]>([
    ['below its prefix', rule('a', 'Denied', exact('/x/Y')), rule('b', 'Denied', prefix('/x')), 0],
    ['the later of two alike', rule('a', 'Denied', prefix('/x')), rule('b', 'Denied', prefix('/x')), 1],
    ['for fewer methods', rule('a', 'Denied', prefix('/x', ', methods: [GET]')), rule('b', 'Denied', prefix('/x')), 0],
  ])('%s', async (_title, first, second, covered) => {
    expect(await warnings(policy([first, second]))).toEqual([`deny-covered spec.rules[${covered}]`]);
  });

  test.each<Case>([
    [
      'under no condition of the other',
      rule('a', 'Denied', prefix('/x/y')),
      rule('b', 'Denied', prefix('/x'), `when: [{expression: "request.scheme == 'http'"}]`),
    ],
    ['beside it', rule('a', 'Denied', prefix('/xy')), rule('b', 'Denied', prefix('/x'))],
    [
      'for other clients',
      rule('a', 'Denied', prefix('/x/y')),
      rule('b', 'Denied', prefix('/x'), 'addresses: {deny: [10.0.0.0/8]}'),
    ],
    [
      'for other methods',
      rule('a', 'Denied', prefix('/x', ', methods: [GET]')),
      rule('b', 'Denied', prefix('/x', ', methods: [PUT]')),
    ],
  ])('not one %s', async (...pair) => {
    expect(await pairOf(pair)).toEqual([]);
  });
});

describe('public-below-protected: a hole in what is protected', () => {
  const guard = rule('a', 'Authenticated', prefix('/orders'));

  test.each([exact('/orders/export'), prefix('/orders/public'), regex('/orders/[0-9]+/logo')])('%s', async (match) => {
    expect(await warnings(policy([guard, rule('b', 'Public', match)]))).toEqual([
      'public-below-protected spec.rules[1].matches[0]',
    ]);
  });

  test.each([
    ['beside it', guard, rule('b', 'Public', exact('/ordersx'))],
    ['above it', guard, rule('b', 'Public', prefix('/'))],
    [
      'below a protected /, which says everything else',
      rule('a', 'Authenticated', prefix('/')),
      rule('b', 'Public', exact('/healthz')),
    ],
    [
      'of other methods',
      rule('a', 'Authenticated', prefix('/orders', ', methods: [PUT]')),
      rule('b', 'Public', prefix('/orders/x', ', methods: [GET]')),
    ],
  ])('not a rule %s', async (_title, first, second) => {
    expect(await warnings(policy([first, second]))).toEqual([]);
  });
});

describe('public-keeps-credential', () => {
  test('a Public rule that keeps it by itself', async () => {
    expect(await warnings(policy([rule('a', 'Public', prefix('/x'), 'upstream: {credential: Keep}')]))).toEqual([
      'public-keeps-credential spec.rules[0].upstream.credential',
    ]);
  });

  test('not one whose policy keeps it, and not a rule that asks', async () => {
    const kept = policy([rule('a', 'Public', prefix('/x'))]).replace('rules:', 'upstream: {credential: Keep}, rules:');
    const asking = policy([rule('a', 'Authenticated', prefix('/x'), 'upstream: {credential: Keep}')], {
      name: 'q',
      hosts: 'q.example',
    });
    expect(await warnings(kept, asking)).toEqual([]);
  });
});

describe('S19 provider-not-named: whose role is it?', () => {
  const two = (authorization: string, providers = '{name: idp}, {name: other}'): string =>
    policy([
      rule(
        'a',
        'Restricted',
        prefix('/x'),
        `authentication: {providers: [${providers}]}, authorization: ${authorization}`,
      ),
    ]);

  test.each([
    ['{roles: {anyOf: [admin]}}', 'spec.rules[0].authorization'],
    ['{claims: [{claim: sub, in: [alice]}]}', 'spec.rules[0].authorization'],
    [`{when: [{expression: "'a' in identity.roles"}]}`, 'spec.rules[0].authorization'],
    [
      '{anyOf: [{providers: [idp], roles: {anyOf: [admin]}}, {roles: {anyOf: [admin]}}]}',
      'spec.rules[0].authorization.anyOf[1]',
    ],
  ])('%s', async (authorization, field) => {
    expect(await warnings(two(authorization))).toEqual([`provider-not-named ${field}`]);
  });

  test.each([
    ['scopes', two('{scopes: {allOf: [a]}}')],
    [
      'a condition that says whose',
      two(`{when: [{expression: "identity.provider == 'idp' && 'a' in identity.roles"}]}`),
    ],
    ['a provider named beside', two('{providers: [idp], roles: {anyOf: [admin]}}')],
    ['a provider named around the blocks', two('{providers: [idp], anyOf: [{roles: {anyOf: [admin]}}]}')],
    ['one provider', two('{roles: {anyOf: [admin]}}', '{name: idp}')],
  ])('not with %s', async (_title, document) => {
    expect(await warnings(document)).toEqual([]);
  });
});

describe('caller-chooses-rule: a query parameter or a header', () => {
  const byHeader = (access: string, more = ''): string =>
    rule('a', access, prefix('/x', ', headers: [{name: x-tenant, value: a}]'), more);
  const byQuery = (access: string, more = ''): string =>
    rule('b', access, prefix('/x', ', queryParams: [{name: tenant, value: a}]'), more);

  test.each<Case>([
    ['an open rule beside one that asks', byHeader('Authenticated'), byQuery('Public')],
    [
      'one role beside another',
      byHeader('Restricted', 'authorization: {roles: {anyOf: [a]}}'),
      byQuery('Restricted', 'authorization: {roles: {anyOf: [b]}}'),
    ],
  ])('%s', async (...pair) => {
    expect(await pairOf(pair)).toEqual(['caller-chooses-rule spec.rules[1].matches[0]']);
  });

  test.each<Case>([
    ['that ask the same', byHeader('Authenticated'), byQuery('Authenticated')],
    ['of which one denies', byHeader('Denied'), byQuery('Authenticated')],
    [
      'of which one needs both',
      byHeader('Authenticated'),
      rule(
        'b',
        'Authenticated',
        prefix('/x', ', headers: [{name: x-tenant, value: b}], queryParams: [{name: tenant, value: b}]'),
      ),
    ],
    ['of which one asks for neither', byHeader('Authenticated'), rule('b', 'Optional', prefix('/x'))],
    ['of other paths', byHeader('Authenticated'), byQuery('Public').replace('/x', '/y')],
    [
      'of other methods',
      byHeader('Authenticated').replace('headers', 'methods: [PUT], headers'),
      byQuery('Public').replace('queryParams', 'methods: [GET], queryParams'),
    ],
  ])('not of rules %s', async (...pair) => {
    expect(await pairOf(pair)).toEqual([]);
  });
});

describe('cleartext-keys: keys that anybody on the way can exchange', () => {
  const of = (jwt: string): string => provider('web').replace(/\{issuer.*\}\}/, `{${jwt}, audiences: [a]}}`);

  test.each([
    ['issuer: "http://login.example.com"', 'issuer'],
    ['issuer: "http://93.184.216.34/"', 'issuer'],
    ['issuer: "http://[2606:4700::1111]/"', 'issuer'],
    ['issuer: "http://10.example.com"', 'issuer'],
    ['issuer: "http://svc.example.com"', 'issuer'],
    ['issuer: "https://login.example.com", jwks: {uri: "http://keys.example.com/jwks"}', 'jwks.uri'],
  ])('%s', async (jwt, field) => {
    expect(await warnings(of(jwt))).toEqual([`cleartext-keys spec.jwt.${field}`]);
  });

  test.each([
    'issuer: "https://login.example.com"',
    'issuer: "http://localhost:8080"',
    'issuer: "http://127.0.0.1:8080"',
    'issuer: "http://[::1]:8080"',
    'issuer: "http://10.1.2.3"',
    'issuer: "http://keycloak:8080/realms/a"',
    'issuer: "http://keycloak.auth.svc:8080"',
    'issuer: "http://keycloak.auth.svc.cluster.local.:8080"',
    // Only a name: the keys come over https.
    'issuer: "http://login.example.com", jwks: {uri: "https://keys.example.com/jwks"}',
  ])('not %s', async (jwt) => {
    expect(await warnings(of(jwt))).toEqual([]);
  });

  test.each([
    ['http://login.example.com/introspect', ['cleartext-keys spec.introspection.endpoint']],
    ['https://login.example.com/introspect', []],
    ['http://keycloak.auth.svc:8080/introspect', []],
    ['http://127.0.0.1:8080/introspect', []],
  ])('of an endpoint %s: %j', async (endpoint, expected) => {
    const fields = `endpoint: "${endpoint}", audiences: [a], clientAuthentication: {method: Basic, secretRef: {name: c}}`;
    const asking = provider('web').replace(/type: JWT.*$/m, `type: Introspection, introspection: {${fields}}}`);
    const secret =
      'apiVersion: v1\nkind: Secret\nmetadata: {name: c, namespace: shop}\nstringData: {client_id: a, client_secret: b}\n';
    expect(await warnings(asking, secret)).toEqual(expected);
  });

  test('also of a cluster provider', async () => {
    const cluster = of('issuer: "http://login.example.com"')
      .replace('kind: Identity', 'kind: ClusterIdentity')
      .replace(', namespace: shop', '');
    expect(await warnings(cluster)).toEqual(['cleartext-keys spec.jwt.issuer']);
  });
});

describe('believed-names: names of certificates that only a proxy has seen', () => {
  const of = (fields: string): string =>
    provider('web').replace(/type: JWT.*$/m, `type: ClientCertificate, clientCertificate: {${fields}}}`);
  const ca = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ca, namespace: shop}\ndata: {ca.crt: ""}\n';

  test.each([
    ['source: ValidatedPrincipal', ['believed-names spec.clientCertificate.source']],
    [
      'source: ValidatedPrincipal, spiffe: {trustDomains: [cluster.local]}',
      ['believed-names spec.clientCertificate.source'],
    ],
    ['source: ForwardedCertificate', ['believed-names spec.clientCertificate.source']],
    ['source: ForwardedCertificate, caRef: {name: ca, key: ca.crt}', []],
    ['source: Certificate, caRef: {name: ca, key: ca.crt}', []],
  ])('%s: %j', async (fields, expected) => {
    const believed = (warning: string): boolean => warning.startsWith('believed-names');
    expect((await warnings(of(fields), ca)).filter(believed)).toEqual(expected);
  });
});

describe('S9 shadow-wider-decides: as if deleted, and something else decides', () => {
  const shadow = policy([rule('a', 'Authenticated', prefix('/'))], { mode: 'Shadow' });
  const wide = (hosts: string): string => policy([rule('a', 'Authenticated', prefix('/'))], { name: 'wide', hosts });

  test('a wildcard above it', async () => {
    expect(await warnings(shadow, wide('*.example.com'))).toEqual(['shadow-wider-decides spec.mode']);
  });

  test.each([
    ['another host', wide('*.example.org')],
    ['the same host', wide('api.example.com')],
  ])('not %s', async (_title, other) => {
    expect(await warnings(shadow, other)).toEqual([]);
  });
});

describe('host-widens: a wildcard that opens what another policy protects', () => {
  const guard = (hosts: string): string =>
    policy([rule('a', 'Authenticated', prefix('/orders'))], { name: 'guard', hosts });
  const open = (hosts: string, value = '/orders/x'): string =>
    policy([rule('a', 'Public', prefix(value))], { name: 'open', hosts });

  test.each([
    ['above its host', guard('api.example.com'), open('*.example.com')],
    ['below its wildcard', guard('*.example.com'), open('*.eu.example.com', '/')],
  ])('%s', async (_title, guarded, opened) => {
    expect(await warnings(guarded, opened)).toEqual(['host-widens spec.hosts[0]']);
  });

  test.each([
    ['of another path', guard('api.example.com'), open('*.example.com', '/healthz')],
    ['beside its host', guard('api.example.org'), open('*.example.com')],
    ['that is none', guard('*.example.com'), open('api.example.com')],
  ])('not one %s', async (_title, guarded, opened) => {
    expect(await warnings(guarded, opened)).toEqual([]);
  });
});
