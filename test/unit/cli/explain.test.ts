import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explain } from '../../../src/runtime/explain.ts';
import type { Explanation } from '../../../src/runtime/explanation.ts';
import { createTokenMint } from '../../../src/policy-test/token-mint.ts';
import { run, type CliRun } from './cli-fixtures.ts';

const documents = `apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec: {type: JWT, jwt: {issuer: "https://idp.example", audiences: [orders], claims: {roles: [groups]}}}
---
apiVersion: portcullis.dev/v1alpha1
kind: ClusterAccessPolicy
metadata: {name: floor}
spec:
  addresses: {deny: [192.0.2.0/24]}
  rules:
  - {name: no-git, matches: [{path: {type: PathPrefix, value: /.git}}], access: Denied}
  - {name: admin-known, matches: [{path: {type: PathPrefix, value: /admin}}], access: Authenticated}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: wide, namespace: shop}
spec:
  hosts: ["*.example.com"]
  rules:
  - {name: no-put, matches: [{methods: [PUT]}], access: Denied}
  - {name: no-trace, matches: [{path: {type: PathPrefix, value: /reports}}], access: Denied, when: [{expression: "request.scheme == 'https'"}]}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: api, namespace: shop}
spec:
  hosts: [api.example.com]
  authentication: {providers: [{name: idp}]}
  rules:
  - {name: rest, matches: [{path: {type: PathPrefix, value: /}}], access: Public}
  - {name: read, matches: [{path: {type: PathPrefix, value: /orders}, methods: [GET]}], access: Authenticated}
  - {name: versioned, matches: [{path: {type: PathPrefix, value: /reports}, headers: [{name: x-v, value: "2"}]}], access: Authenticated}
  - name: admin
    matches: [{path: {type: PathPrefix, value: /admin}}]
    access: Restricted
    authorization:
      roles: {anyOf: [admin]}
      claims: [{claim: tenant, in: [acme]}]
      when: [{expression: "identity.claims.tenant == request.headers['x-tenant']"}]
      anyOf:
      - scopes: {allOf: [a]}
      - {stepUp: {acr: {anyOf: [gold]}}}
  upstream: {headers: [{name: x-user-id, expression: identity.subject}]}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: named, namespace: shop}
spec: {attachment: Named, rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Public}]}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: later, namespace: shop}
spec: {hosts: [api.example.com], mode: Shadow, rules: [{name: never, matches: [{path: {type: Exact, value: /orders}}], access: Denied}]}
`;

let folder: string;
let token: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-explain-'));
  const issuers = [{ name: 'idp', form: 'signed', alg: 'RS256', iss: 'https://idp.example', aud: 'orders' } as const];
  const mint = await createTokenMint(issuers, { good: { issuer: 'idp', claims: { sub: 'alice-canary' } } }, Date.now());
  token = await mint.mint('good');
  writeFileSync(join(folder, 'p.yaml'), documents);
  writeFileSync(join(folder, 'keys.json'), JSON.stringify(await mint.jwks('idp')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const alice = JSON.stringify({ sub: 'alice-canary', groups: ['admin'], tenant: 'acme', scope: 'b' });

function explaining(...args: readonly string[]): Promise<CliRun> {
  const registry = { explain: () => Promise.resolve(explain) };
  return run(['explain', '--policies', join(folder, 'p.yaml'), ...args], { registry });
}

async function explained(...args: readonly string[]): Promise<Explanation> {
  const parsed: Explanation = JSON.parse((await explaining('-o', 'json', ...args)).stdout);
  return parsed;
}

test('a denial for what providers lack says what that is', async () => {
  const place = join(folder, 'lacking.yaml');
  const lacking = documents.replace(
    'audiences: [orders],',
    'audiences: [orders], jwks: {configMapRef: {name: keys, key: jwks}},',
  );
  writeFileSync(place, lacking);
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsigned = `${encode({ alg: 'RS256' })}.${encode({ iss: 'https://idp.example', aud: 'orders', exp: 4_000_000_000 })}.AAAA`;
  const args = ['--policies', place, '-H', `Authorization: Bearer ${unsigned}`, 'http://api.example.com/orders'];
  const { stdout } = await run(['explain', ...args], { registry: { explain: () => Promise.resolve(explain) } });
  expect(stdout).toContain(
    'note       IdentityProvider shop/idp: the ConfigMap shop/keys or its key jwks is missing\n',
  );
});

test('the way of a request without a token is told step by step', async () => {
  const { exitCode, stdout } = await explaining('http://API.example.com:80/orders%2D1/');
  expect([exitCode, stdout]).toEqual([
    0,
    `request    GET api.example.com /orders-1/ (received as /orders%2D1/)
client     127.0.0.1
covered by floor: the floor, which only restricts (every request)
covered by shop/api: its rules decide (api.example.com)
covered by shop/wide: it only restricts, a nearer one decides (*.example.com)
matched    with the path /orders-1/
denied?    shop/wide no-put: no, of another method
addresses  floor: holds
rule?      shop/api read, versioned, admin: passed over: another path
rule?      shop/api rest (Public, PathPrefix /): matches
decides    shop/api rest
identity   shop/api rest: anonymous
ALLOWED by shop/api rest
  upstream - x-user-id, x_user_id
shadow     shop/later rest: would have been ok
`,
  ]);
});

test('every test of the authorization is told, with values only where they are asked for', async () => {
  const tests = ['http://api.example.com/admin', '-H', 'x-tenant: acme', '--claims', alice];
  const { exitCode, stdout } = await explaining(...tests);
  expect(exitCode).toBe(1);
  expect(stdout.split('\n').filter((line) => /^(test|identity|floor)/.test(line))).toEqual([
    'floor?     floor admin-known: yes',
    'identity   shop/api admin: of idp: subject (text of 12), scopes (list of 1), roles (list of 1); claims: iss (text of 19), sub (text of 12), groups (list of 1), tenant (text of 4), scope (text of 1)',
    'test       shop/api admin roles: asks {"anyOf":["admin"]}, has (list of 1): holds',
    'test       shop/api admin claim tenant: asks {"in":["acme"]}, has (text of 4): holds',
    `test       shop/api admin condition: asks "identity.claims.tenant == request.headers['x-tenant']", has (boolean): holds`,
    'test       shop/api admin anyOf[0] scopes: asks {"allOf":["a"]}, has (list of 1): FAILS: The identity lacks a scope that the rule asks for. [insufficient_scope]',
    'test       shop/api admin anyOf[1] stepUp acr: asks ["gold"], has (absent): FAILS: The user was not authenticated well or lately enough. [insufficient_user_authentication]',
  ]);
  expect(stdout).not.toContain('canary');
  expect((await explaining(...tests, '--show-values')).stdout).toContain('subject "alice-canary"');
});

describe('who connects', () => {
  const peers = join(tmpdir(), 'portcullis-explain-peers.yaml');
  const host = 'http://peers.example.com/orders';
  const workload = ['--principal', 'spiffe://cluster.local/ns/shop/sa/canary'];

  beforeAll(() =>
    writeFileSync(
      peers,
      `apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec: {type: JWT, jwt: {issuer: "https://idp.example", audiences: [orders]}}
---
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: mesh, namespace: shop}
spec: {type: ClientCertificate, clientCertificate: {source: ValidatedPrincipal, spiffe: {trustDomains: [cluster.local]}}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: peers, namespace: shop}
spec:
  hosts: [peers.example.com]
  authentication: {providers: [{name: idp}], peer: {name: mesh}}
  rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}]
`,
    ),
  );
  afterAll(() => rmSync(peers, { force: true }));

  const explainPeers = (...args: readonly string[]): Promise<CliRun> =>
    run(['explain', '--policies', peers, host, ...args], { registry: { explain: () => Promise.resolve(explain) } });

  test('is told beside who calls, and by name only where it is asked for', async () => {
    const { stdout } = await explainPeers(...workload, '--claims', '{"sub":"u"}');
    expect(stdout).toContain(
      'peer       shop/peers all: of mesh: subject (text of 40), scopes (list of 0), roles (list of 0); claims: principal (text of 40), trustDomain (text of 13), namespace (text of 4), serviceAccount (text of 6)\nidentity   shop/peers all: of idp',
    );
    expect(stdout).not.toContain('canary');
    const shown = await explainPeers(...workload, '--claims', '{"sub":"u"}', '--show-values');
    expect(shown.stdout).toContain('subject "spiffe://cluster.local/ns/shop/sa/canary"');
  });

  test('must hold too', async () => {
    const nobody = await explainPeers('--claims', '{"sub":"u"}');
    expect([nobody.exitCode, nobody.stdout]).toEqual([1, expect.stringContaining('[credential_missing]')]);
    expect(nobody.stdout).toContain('a credential is looked for in the header authorization with the scheme Bearer');
    const other = await explainPeers('--principal', 'CN=web', '--claims', '{"sub":"u"}');
    expect([other.exitCode, other.stdout]).toEqual([1, expect.stringContaining('[certificate_name]')]);
  });

  test.each([
    [['--certificate', 'package.json'], 'holds no PEM certificate'],
    [['--certificate', 'no-such-file.pem'], 'cannot be read'],
    [['--forwarded-client-cert-from', '10.0.0.1/8'], 'is no range'],
  ])('%j is a mistake', async (args, why) => {
    const { exitCode, stderr } = await explainPeers(...args);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(why)]);
  });
});

test('a made-up identity is marked, before and behind', async () => {
  const { stdout } = await explaining('http://api.example.com/orders', '--claims', '{"sub":"x"}');
  expect(stdout).toMatch(
    /^\*\*\* MADE-UP IDENTITY[\s\S]*ALLOWED by shop\/api read\n[\s\S]*\*\*\* MADE-UP IDENTITY \*\*\*\n$/,
  );
  expect((await explained('http://api.example.com/orders', '--claims', '{"sub":"x"}')).madeUp).toBe(true);
  expect((await explained('http://api.example.com/orders')).madeUp).toBe(false);
});

test('a real token is believed with keys alone, and never printed', async () => {
  const url = 'http://api.example.com/orders';
  const without = await explaining(url, '--token', token);
  expect([without.exitCode, without.stdout]).toEqual([1, expect.stringContaining('give --jwks FILE, or --claims')]);
  const keys = ['--jwks', join(folder, 'keys.json')];
  const good = await explaining(url, '--token', token, ...keys, '--show-values', '-o', 'json');
  const tampered = await explaining(url, '--token', `${token.slice(0, -8)}AAAAAAAA`, ...keys);
  expect([good.exitCode, tampered.exitCode]).toEqual([0, 1]);
  expect(tampered.stdout).toContain('[token_signature]');
  for (const part of token.split('.')) expect(without.stdout + good.stdout + tampered.stdout).not.toContain(part);
});

describe('why', () => {
  const fates = ({ steps }: Explanation): readonly string[] =>
    steps.flatMap((step) => ('fate' in step && step.fate !== 'path' ? [`${step.rule} ${step.fate}`] : []));

  test('a rule is passed over for its method, and ends the search', async () => {
    const { steps, decision, ...rest } = await explained('-X', 'PATCH', 'http://api.example.com/orders/1');
    expect(fates({ steps, decision, ...rest })).toEqual(['no-put method', 'read method', 'rest general']);
    expect(steps.find(({ kind }) => kind === 'search-ended')).toEqual({
      kind: 'search-ended',
      by: [{ policy: 'shop/api', rule: 'read' }],
    });
    expect([decision.status, decision.code]).toEqual([403, 'no_rule']);
  });

  test('a rule is passed over for a header, or chosen with it', async () => {
    expect(fates(await explained('http://api.example.com/reports'))).toContain('versioned header-or-query');
    const chosen = await explained('-H', 'x-v: 2', 'http://api.example.com/reports');
    expect(fates(chosen)).toEqual(['no-trace condition', 'no-put method', 'versioned general', 'rest lower-rank']);
    expect(chosen.decision.code).toBe('credential_missing');
  });

  test('a rule holds beside another for its case', async () => {
    const { steps, decision } = await explained('http://api.example.com/ORDERS');
    expect(steps).toContainEqual({
      kind: 'selection',
      matched: [{ policy: 'shop/api', rule: 'rest' }],
      beside: [{ policy: 'shop/api', rule: 'read' }],
    });
    expect(decision.rule).toBe('read');
  });

  test('a request is denied: by a rule, by an address, by its form', async () => {
    expect(fates(await explained('http://api.example.com/.git/x'))).toEqual(['no-git hits']);
    expect((await explained('-X', 'PUT', 'http://api.example.com/')).decision).toMatchObject({
      code: 'denied',
      rule: 'no-put',
    });
    expect((await explained('--client-ip', '192.0.2.1', 'http://api.example.com/')).decision.code).toBe(
      'address_denied',
    );
    const unread = await explained('http://api.example.com//x');
    expect([unread.request, unread.steps, unread.decision.code]).toEqual([undefined, [], 'path_not_canonical']);
  });

  test('a policy covers it: by name, or none does', async () => {
    const named = await explained('--context', 'portcullis.dev/policy=shop/named', 'http://any.example/');
    expect(named.steps[0]).toEqual({
      kind: 'covering',
      policies: [
        { policy: 'floor', role: 'floor', because: 'every request' },
        { policy: 'shop/named', role: 'decides', because: 'by name' },
      ],
    });
    expect((await explained('http://any.example/')).decision.code).toBe('no_policy');
  });

  test('a document is not in force', async () => {
    writeFileSync(join(folder, 'bad.yaml'), documents.replace('access: Authenticated', 'acess: Authenticated'));
    const registry = { explain: () => Promise.resolve(explain) };
    const { stdout } = await run(['explain', '--policies', join(folder, 'bad.yaml'), 'http://api.example.com/'], {
      registry,
    });
    expect(stdout).toMatch(/^not in force: .*bad\.yaml:\d+:\d+: error: [\s\S]*acess/);
  });
});

describe('mistakes', () => {
  test.each([
    [['http://h/'], 'no policies; give --policies DIR'],
    [
      ['--policies', 'x', '--claims', '{}', '--token', 'a', 'http://h/'],
      '--claims makes up an identity in place of a token; give one of them',
    ],
    [
      ['--policies', 'x', '--provider', 'a/b', 'http://h/'],
      '--provider says who vouches for --claims; give --claims too',
    ],
    [['--policies', 'x', '--claims', 'canary', 'http://h/'], '--claims: it is not JSON'],
    [['--policies', 'x', '--claims', '[]', 'http://h/'], '--claims: it is not a JSON object'],
    [['--policies', 'x', '--trusted-hops', '-1', 'http://h/'], '--trusted-hops is a whole number from 0 to 10'],
    [['--policies', '-', '--token', '-', 'http://h/'], 'standard input can be read only once; give - once'],
  ])('%j', async (args, message) => {
    expect(await run(['explain', ...args])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `portcullis: ${message}; see portcullis explain --help\n`,
    });
  });

  test('claims that no provider of the documents vouches for', async () => {
    const { exitCode, stderr } = await explaining(
      '--claims',
      '{"iss":"https://other.example"}',
      'http://api.example.com/',
    );
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('there are: shop/idp (NAMESPACE/NAME')]);
  });
});
