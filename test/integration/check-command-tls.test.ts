import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runCli } from './support/serve-process.ts';
import { clients, servers, strangers, useTlsFolder } from './support/tls-folder.ts';

const { pathOf, mutualFlags, serve } = useTlsFolder();

test('check asks a service that speaks TLS and wants a client certificate; without either it gets no answer', async () => {
  const service = await serve(mutualFlags());
  const pair = clients.issue();
  const files = {
    'ca.pem': servers.certificate,
    'other.pem': strangers.certificate,
    'c.pem': pair.certificate,
    'k.pem': pair.key,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(pathOf(name), text);
  const check = async (...flags: readonly string[]): Promise<string> => {
    const { code, output } = await runCli([
      'check',
      '--timeout',
      '2s',
      '--address',
      service.grpcAddress,
      ...flags,
      'http://shop.example/x',
    ]);
    // Node warns of a server that is named by its address.
    const line = output.split('\n').find((one) => /^(ALLOWED|DENIED|portcullis: )/.test(one));
    return `${code} ${line ?? output}`;
  };
  const own = ['--tls-cert', pathOf('c.pem'), '--tls-key', pathOf('k.pem')];
  expect(await check('--tls-ca', pathOf('ca.pem'), ...own)).toBe('0 ALLOWED');
  expect(await check('--tls-ca', pathOf('ca.pem'))).toMatch(/^3 .*\[no_answer\]$/);
  expect(await check('--tls-ca', pathOf('other.pem'), ...own)).toMatch(/^3 .*\[no_answer\]$/);
  expect(await check('--tls', ...own)).toMatch(/^3 .*\[no_answer\]$/);
  expect(await check()).toMatch(/^3 .*\[no_answer\]$/);
});
