import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startIssuer, type Issuer } from '../../src/dev/issuer.ts';
import { startFakeCheckServer } from './support/fake-check-server.ts';
import { healthOf, runCli, startServe, type ServeProcess } from './support/serve-process.ts';

let folder: string;
let issuer: Issuer;
let service: ServeProcess;

const documents = (iss: string): string => `apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec: {type: JWT, jwt: {issuer: "${iss}", audiences: [orders]}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  hosts: [api.example.com]
  authentication: {providers: [{name: idp}]}
  rules:
  - {name: read, matches: [{path: {type: PathPrefix, value: /orders}, methods: [GET]}], access: Authenticated}
  upstream: {headers: [{name: x-user-id, expression: identity.subject}]}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: by-name, namespace: shop}
spec:
  attachment: Named
  rules: [{name: open, matches: [{queryParams: [{name: open, value: "1"}]}], access: Public}]
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-check-'));
  issuer = await startIssuer(0, 'orders');
  writeFileSync(join(folder, 'policies.yaml'), documents(issuer.issuer));
  service = await startServe(folder, ['--allowed-private-address', '127.0.0.0/8', '--log-decisions', 'denied']);
  await vi.waitUntil(async () => (await healthOf(service.grpcAddress)) === 'SERVING', { timeout: 6000 });
});
afterAll(async () => {
  await service.close();
  await issuer.close();
  rmSync(folder, { recursive: true, force: true });
});

const check = (...args: readonly string[]): Promise<{ code: number; output: string }> =>
  runCli(['check', '--address', service.grpcAddress, ...args]);

test('a request with a good token is allowed: exit code 0, with the headers that the service would see', async () => {
  const file = join(folder, 'token.txt');
  writeFileSync(file, `${await issuer.sign({ sub: 'alice' })}\n`);
  const { code, output } = await check('--token', `@${file}`, 'http://api.example.com/orders?x=1');
  expect([code, output]).toEqual([0, expect.stringMatching(/^ALLOWED\nby shop\/orders read\ndecision [0-9a-f-]+\n/)]);
  expect(output).toContain('+ x-user-id: alice');
  expect(output).toContain('- authorization');
});

test('one that is denied says status, code and the id of the log: exit code 1', async () => {
  const { code, output } = await check('-o', 'json', '-X', 'POST', 'http://api.example.com/orders');
  const report = JSON.parse(output) as { readonly decisionId: string };
  expect([code, report]).toEqual([1, expect.objectContaining({ decision: 'deny', status: 403, code: 'no_rule' })]);
  await expect.poll(() => service.output(), { timeout: 6000 }).toContain(report.decisionId);
});

test('an ambiguous path reaches the service as it is written', async () => {
  const { output } = await check('http://api.example.com//orders/../x');
  expect(output).toMatch(/^DENIED 400 path_not_canonical\n/);
});

test('context extensions and headers kept apart arrive', async () => {
  const named = ['--context', 'portcullis.dev/policy=shop/by-name'];
  expect((await check(...named, 'http://any.example/?open=1')).code).toBe(0);
  expect((await check(...named, 'http://any.example/')).code).toBe(1);
  const twice = ['-H', 'authorization: a', '-H', 'authorization: b', 'http://api.example.com/orders'];
  expect((await check('--header-map', ...twice)).output).toMatch(/^DENIED 400 header_duplicated\n/);
});

test('nobody there, and an answer without a status, are exit code 3', async () => {
  expect(await runCli(['check', '--address', '127.0.0.1:1', 'http://api.example.com/'])).toEqual({
    code: 3,
    output: expect.stringMatching(/^portcullis: 127\.0\.0\.1:1: .* \[no_answer\]\n$/),
  });
  const fake = await startFakeCheckServer(() => ({}));
  try {
    expect(await runCli(['check', '--address', fake.address, 'http://api.example.com/'])).toEqual({
      code: 3,
      output: expect.stringMatching(/\[bad_answer\]\n$/),
    });
  } finally {
    fake.close();
  }
});
