import { describe, expect, test } from 'vitest';
import { explain } from '../../../src/runtime/explain.ts';
import { inspectToken } from '../../../src/runtime/inspect-token.ts';
import { run, type CliRun } from './cli-fixtures.ts';

const head = (kind: string, name: string): string =>
  `apiVersion: portcullis.dev/v1alpha1\nkind: ${kind}\nmetadata: {${name}}\n`;
const provider = (name: string, kind = 'IdentityProvider'): string =>
  `${head(kind, name)}spec: {type: JWT, jwt: {issuer: "https://idp${name.length}.example", audiences: [a]}}\n`;

const documents = [
  provider('name: staff, namespace: shop'),
  provider('name: customers, namespace: shop'),
  provider('name: corp', 'ClusterIdentityProvider'),
  `${head('AccessPolicy', 'name: api, namespace: shop')}spec:
  hosts: [api.example.com]
  authentication: {providers: [{name: staff}, {name: customers}]}
  rules:
  - {name: any, matches: [{path: {type: Exact, value: /any}}], access: Authenticated}
  - {name: staff, matches: [{path: {type: Exact, value: /staff}}], access: Authenticated, authentication: {providers: [{name: staff}]}}
  - name: both
    matches: [{path: {type: Exact, value: /both}}]
    access: Restricted
    authorization: {providers: [customers]}
  - name: recent
    matches: [{path: {type: Exact, value: /recent}}]
    access: Restricted
    authorization: {stepUp: {acr: {anyOf: [gold]}, amr: {anyOf: [otp]}, maxAge: 5m}}
  - name: tenant
    matches: [{path: {type: Exact, value: /tenant}}]
    access: Restricted
    authorization: {when: [{expression: "identity.claims.tenant == 'canary'"}]}
  response: {forbidden: {status: 404, body: gone, contentType: text/plain}}
`,
].join('---\n');

function explaining(...args: readonly string[]): Promise<CliRun> {
  const registry = { explain: () => Promise.resolve(explain) };
  return run(['explain', '--policies', '-', ...args], { registry, stdin: documents });
}

const at = (path: string): string => `http://api.example.com${path}`;

describe('the answer to the client', () => {
  test('is told with its status and challenge, and not once more with the body that says code and message', async () => {
    const { stdout, exitCode } = await explaining(at('/any'));
    expect(exitCode).toBe(1);
    expect(stdout.slice(stdout.indexOf('DENIED'))).toMatch(
      /^DENIED 401 credential_missing by shop\/api any: .*\n {2}answer {3}\+ www-authenticate: Bearer realm="api.example.com"\n {2}answer {3}\+ www-authenticate: DPoP realm="api.example.com", algs="[^"]+"\nnote {7}.*looked for in.*with the scheme Bearer.*\n$/,
    );
    const { decision } = JSON.parse((await explaining('-o', 'json', at('/any'))).stdout);
    expect(decision).toMatchObject({
      body: expect.stringContaining('"error":"credential_missing"'),
      responseHeaders: expect.arrayContaining([['content-type', 'application/json']]),
    });
  });

  test('is told whole where the policy dressed it', async () => {
    const { stdout } = await explaining(at('/nothing'));
    expect(stdout).toContain('\n  answer   + content-type: text/plain\n  answer   gone\n');
  });

  test('is the one that the policy dressed, also as JSON', async () => {
    const { stdout } = await explaining('-o', 'json', at('/nothing'));
    expect(JSON.parse(stdout)).toMatchObject({
      decision: { status: 404, code: 'no_rule', body: 'gone', responseHeaders: [['content-type', 'text/plain']] },
    });
  });

  test('is nothing of ours for an allow', async () => {
    const { stdout, exitCode } = await explaining(at('/staff'), '--claims', '{"sub":"a"}');
    expect([exitCode, stdout.includes('answer  ')]).toEqual([0, false]);
  });
});

describe('what denies is named', () => {
  test('no_rule names the policy whose rules were asked', async () => {
    expect((await explaining(at('/nothing'))).stdout).toContain('DENIED 404 no_rule by shop/api: No rule');
  });

  test.each(['shop/none', 'shop/api'])('the name %s that the proxy gives, where no policy bears it', async (name) => {
    const { stdout } = await explaining('--context', `portcullis.dev/policy=${name}`, at('/any'));
    expect(stdout).toContain(
      `no_policy: The proxy names the policy "${name}" (portcullis.dev/policy), and no policy with attachment: Named has that namespace/name.`,
    );
  });

  test('a host that no policy governs is told without any name', async () => {
    expect((await explaining('http://other.example/')).stdout).toContain('no_policy: No policy governs the host.');
  });

  test('the key that a condition misses, with the ways to ask for it, and no value', async () => {
    const { stdout } = await explaining(
      at('/tenant'),
      '--provider',
      'staff',
      '--claims',
      '{"sub":"a","other":"secret"}',
    );
    expect(stdout).toContain('A condition of the rule could not be evaluated: identity.claims.tenant is absent.');
    expect(stdout).toContain('ask first, with has(…) or "name" in …');
    expect(stdout).not.toContain('secret');
  });

  test('each part of a step-up, by itself', async () => {
    const claims = JSON.stringify({ sub: 'a', acr: 'gold', amr: ['pwd'], auth_time: 1 });
    const { stdout } = await explaining(at('/recent'), '--provider', 'staff', '--claims', claims);
    const parts = stdout.split('\n').filter((line) => line.includes('stepUp'));
    expect(parts.map((line) => line.replace(/.*(stepUp \w+): .*: (holds|FAILS).*/, '$1 $2'))).toEqual([
      'stepUp acr holds',
      'stepUp amr FAILS',
      'stepUp maxAge FAILS',
    ]);
    const fresh = JSON.stringify({ sub: 'a', acr: 'gold', amr: ['otp'], auth_time: Math.floor(Date.now() / 1000) });
    expect((await explaining(at('/recent'), '--provider', 'staff', '--claims', fresh)).exitCode).toBe(0);
  });

  test('the provider of the identity is no secret', async () => {
    const { stdout } = await explaining(at('/both'), '--provider', 'shop/staff', '--claims', '{"sub":"a"}');
    expect(stdout).toContain('providers: asks ["customers"], has "staff": FAILS');
  });
});

describe('who vouches for --claims', () => {
  const by = async (...args: readonly string[]): Promise<string | undefined> =>
    /of (\S+): subject/.exec((await explaining('--claims', '{"sub":"a"}', ...args)).stdout)?.[1];

  test('is the one provider of the rule that decides', async () => {
    expect(await by(at('/staff'))).toBe('staff');
  });

  test.each(['shop/customers', 'customers'])('is who is named %s', async (name) => {
    expect(await by(at('/any'), '--provider', name)).toBe('customers');
  });

  test('must be said where the rule has several, and the forms are listed', async () => {
    expect(await explaining('--claims', '{"sub":"a"}', at('/any'))).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'portcullis: several providers fit: name one with --provider, or its issuer as iss; there are: corp, shop/customers, shop/staff (NAMESPACE/NAME, or NAME of a ClusterIdentityProvider); see portcullis explain --help\n',
    });
  });

  test('is nobody where no provider has the name', async () => {
    const { exitCode, stderr } = await explaining('--claims', '{"sub":"a"}', '--provider', 'stuff', at('/any'));
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('fits the name stuff')]);
  });
});

describe('policies that cannot be read are a mistake on the command line, told once', () => {
  const registry = { explain: () => Promise.resolve(explain), inspectToken: () => Promise.resolve(inspectToken) };
  // Header and claims of a token that nobody signed: {"alg":"none"} and {}.
  const token = 'eyJhbGciOiJub25lIn0.e30.AAAA';

  test.each([
    [['explain', '--policies', 'no/such/folder', at('/')]],
    [['explain', '--policies', 'no/such/folder', '--claims', '{"sub":"a"}', at('/')]],
    [['token', '--policies', 'no/such/folder', token]],
  ])('%j', async (args) => {
    expect(await run(args, { registry })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(/^portcullis: no\/such\/folder: it cannot be read: ENOENT[^\n]*\n$/),
    });
  });
});
