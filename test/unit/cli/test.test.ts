import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { PolicyTestReport } from '../../../src/runtime/policy-test-report.ts';
import { testPolicies } from '../../../src/runtime/test-policies.ts';
import { run, type CliRun } from './cli-fixtures.ts';

const [testYaml = '', policies = ''] = [...readFileSync('docs/testing.md', 'utf8').matchAll(/```yaml\n(.*?)```/gs)].map(
  ([, text = '']) => text,
);

let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-test-'));
  writeFileSync(at('policies.yaml'), policies);
  writeFileSync(at('test.yaml'), testYaml);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const registry = { testPolicies: () => Promise.resolve(testPolicies) };
const testing = (...args: readonly string[]): Promise<CliRun> => run(['test', ...args], { registry });
/** The test of the page with a piece of it exchanged. */
const change = (from: string, to: string): void => {
  expect(testYaml).toContain(from);
  writeFileSync(at('test.yaml'), testYaml.replace(from, to));
};

describe('docs/testing.md', () => {
  test('holds a test that passes, with the output that it shows', async () => {
    const { exitCode, stdout, stderr } = await testing(folder);
    expect([exitCode, stdout.replaceAll(`${folder}/`, ''), stderr]).toEqual([
      0,
      'test.yaml: orders: 13 of 13 as expected\n13 passed, 0 failed\n',
      '',
    ]);
  });

  test('-o json and yaml tell every case', async () => {
    const { stdout } = await testing(folder, '-o', 'json');
    const report: PolicyTestReport = JSON.parse(stdout);
    expect([report.passed, report.failed, report.tests[0]?.cases.length]).toEqual([13, 0, 13]);
    expect(report.tests[0]?.cases[1]).toMatchObject({ differences: [], decision: 'deny', code: 'credential_missing' });
    expect(parse((await testing(folder, '-o', 'yaml')).stdout)).toEqual(report);
  });
});

describe('a case that is not decided as expected', () => {
  test.each([
    [
      '{decision: deny, status: 401, code: credential_missing',
      '{decision: deny, status: 403, code: no_rule',
      ['status: expected 403, got 401', 'code: expected no_rule, got credential_missing'],
    ],
    [
      'challenge: Bearer',
      'challenge: Basic',
      [
        'challenge: expected one with Basic, got Bearer realm="api.example.com", DPoP realm="api.example.com", algs="RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA"',
      ],
    ],
    [
      'policy: shop/orders, rule: write',
      'policy: shop/other, rule: read',
      ['policy: expected shop/other, got shop/orders', 'rule: expected read, got write'],
    ],
    [
      'x-user-id: alice',
      'x-user-id: bob, x-other: a',
      ['upstream header x-user-id: expected bob, got alice', 'upstream header x-other: expected a, got none'],
    ],
    ['removedHeaders: [authorization]', 'removedHeaders: [cookie]', ['removed header cookie: it is not removed']],
  ])('%s as %s', async (from, to, differences) => {
    change(from, to);
    const { exitCode, stdout } = await testing(folder);
    expect(exitCode).toBe(1);
    expect(stdout.match(/^ {2}(?!it was).*$/gm)).toEqual(differences.map((one) => `  ${one}`));
    expect(stdout).toContain('12 passed, 1 failed\n');
  });

  test('is told with what it was', async () => {
    change(', [order, clerk]]', ']');
    expect((await testing(at('test.yaml'))).stdout).toContain(
      'FAILED order with clerk is denied\n  decision: expected deny, got allow\n  it was allowed by shop/orders write\n',
    );
    change('[home, none], ', '');
    expect((await testing(at('test.yaml'))).stdout).toContain('FAILED home with none is denied\n');
  });

  test('also where it ought to be allowed, with the reason', async () => {
    change('[order, clerk]]', '[order, clerk], [order, visitor]]');
    expect((await testing(folder)).stdout).toContain(
      'FAILED order with visitor is allowed\n  decision: expected allow, got deny\n  it was denied 403 role_missing by shop/orders write: The identity lacks a role that the rule asks for.\n',
    );
  });
});

describe('the policies of a test', () => {
  test('may be a folder or a glob', async () => {
    mkdirSync(at('more'));
    writeFileSync(at('more/p.yaml'), policies);
    for (const named of ['more', 'more/*.yaml', './more']) {
      change('policies.yaml', named);
      expect(await testing(at('test.yaml'))).toMatchObject({ exitCode: 0 });
    }
  });

  test('may be of the same file', async () => {
    writeFileSync(at('one.yaml'), `${testYaml.replace('policies.yaml', 'one.yaml')}---\n${policies}`);
    expect(await testing(at('one.yaml'))).toMatchObject({ exitCode: 0 });
  });

  test('that are refused are named, and deny', async () => {
    writeFileSync(at('policies.yaml'), policies.replace('access: Public', 'access: Pubic'));
    const { exitCode, stdout } = await testing(at('test.yaml'));
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/^not in force: .*policies\.yaml:\d+:\d+: error: /)]);
    expect(stdout).toContain('it was denied 503 policy_invalid');
  });
});

test('a CheckRequest may be in a file', async () => {
  writeFileSync(
    at('check.json'),
    '{"attributes":{"request":{"http":{"method":"GET","host":"api.example.com","path":"/"}}}}',
  );
  change('request: {host: api.example.com, path: //orders}', 'checkFile: check.json');
  change('{decision: deny, status: 400, code: path_not_canonical}', '{decision: allow}');
  writeFileSync(
    at('test.yaml'),
    testYaml
      .replace('request: {host: api.example.com, path: //orders}', 'checkFile: check.json')
      .replace('{decision: deny, status: 400, code: path_not_canonical}', '{decision: allow, rule: home}'),
  );
  expect(await testing(folder)).toMatchObject({ exitCode: 0 });
  rmSync(at('check.json'));
  expect(await testing(folder)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('check.json: it cannot be read'),
  });
});

describe('a test that is wrong is told with its place, and ends with 2', () => {
  test.each([
    ['v1alpha1', 'v1', '1:1: error: "test.portcullis.dev/v1": write test.portcullis.dev/v1alpha1'],
    ['tokens:', 'tokns:', 'error: the document has no field "tokns"; did you mean tokens?'],
    [
      'request: order\n  token: clerk',
      'request: oder\n  token: clerk',
      'error: there is no request named "oder"; did you mean order?',
    ],
    ['token: clerk\n  expect', 'token: clark\n  expect', 'error: there is no token named "clark"; did you mean clerk?'],
    ['{issuer: okta,', '{issuer: otka,', 'error: there is no issuer named "otka"; did you mean okta?'],
    ['extends: clerk, sign', 'extends: forged, sign', 'error: the token forged extends itself'],
    ['decision: allow, policy', 'decison: allow, policy', 'has no field "decison"; did you mean decision?'],
    [
      '[order, clerk]]',
      '[odder, clerk]]',
      'error: there is no request of the matrix named "odder"; did you mean order?',
    ],
    ['x-tenant: acme', 'x-tenant: 7', 'error: x-tenant must be a text or a list of texts'],
    [
      'issuers: {okta: {alg: RS256}}',
      'issuers: {okta: {alg: RS256}, corp: {}}',
      'orders: the issuer corp stands in for no provider',
    ],
    ['exp: "-60s"', 'exp: yesterday', 'orders: yesterday is no time: write a number, or -60s, +5m or 1h'],
    [
      'metadata: {name: orders}',
      'metadata: {name: orders}\noptions: {now: yesterday}',
      'error: "yesterday" is no time',
    ],
    ['policies: [policies.yaml]', 'policies: [nope.yaml]', 'nope.yaml: it cannot be read: ENOENT'],
    ['policies: [policies.yaml]', 'policies: ["nope*.yaml"]', 'nope*.yaml: no file is called so'],
  ])('%s as %s', async (from, to, message) => {
    change(from, to);
    const { exitCode, stdout, stderr } = await testing(at('test.yaml'));
    expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringContaining(message)]);
    expect(stderr).toContain('test.yaml:');
  });

  test('nothing to test, and nothing that can be read', async () => {
    expect(await testing(at('policies.yaml'))).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('there is no PolicyTest'),
    });
    expect(await testing(at('nope'))).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('nope: it cannot be read'),
    });
  });
});

test('the examples pass, as examples/README.md says', async () => {
  const { exitCode, stdout } = await testing('examples');
  expect([exitCode, stdout.split('\n').at(-2)]).toEqual([0, expect.stringMatching(/^[7-9]\d\d passed, 0 failed$/)]);
  // Two RSA keys for each issuer, on a machine that does other things beside.
}, 30_000);
