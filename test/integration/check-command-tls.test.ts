import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runCli } from './support/serve-process.ts';
import { clients, servers, strangers, useTlsFolder } from './support/tls-folder.ts';

const { pathOf, tlsFlags, mutualFlags, serve } = useTlsFolder();

test('check asks a service that speaks TLS and wants a client certificate; without either it gets no answer', async () => {
  const service = await serve(mutualFlags());
  const pair = clients.issue();
  const stranger = strangers.issue();
  const files = {
    'ca.pem': servers.certificate,
    'other.pem': strangers.certificate,
    'c.pem': pair.certificate,
    'k.pem': pair.key,
    'fc.pem': stranger.certificate,
    'fk.pem': stranger.key,
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
    expect(output).not.toContain('DEP0123');
    const line = output.split('\n').find((one) => /^(ALLOWED|DENIED|portcullis: )/.test(one));
    return `${code} ${line ?? output}`;
  };
  const own = ['--tls-cert', pathOf('c.pem'), '--tls-key', pathOf('k.pem')];
  expect(await check('--tls-ca', pathOf('ca.pem'), ...own)).toBe('0 ALLOWED');
  const issuer = 'its certificate is of an issuer that is not trusted here: give the issuer with --tls-ca FILE';
  expect(await check('--tls-ca', pathOf('ca.pem'))).toContain('it wants a client certificate');
  const foreign = ['--tls-cert', pathOf('fc.pem'), '--tls-key', pathOf('fk.pem')];
  expect(await check('--tls-ca', pathOf('ca.pem'), ...foreign)).toContain('is that of --tls-cert of an issuer');
  const mixed = ['--tls-cert', pathOf('c.pem'), '--tls-key', pathOf('fk.pem')];
  expect(await check('--tls-ca', pathOf('ca.pem'), ...mixed)).toMatch(
    /^2 portcullis: .*the key.* is that of the certificate/,
  );
  expect(await check('--tls-ca', pathOf('other.pem'), ...own)).toContain(issuer);
  expect(await check('--tls', ...own)).toContain(issuer);
  expect(await check()).toBe(
    `3 portcullis: ${service.grpcAddress}: it speaks TLS: give --tls, and --tls-ca FILE for an issuer of your own [no_answer]`,
  );
});

test('a certificate that is not for the address is not taken', async () => {
  const service = await serve([...tlsFlags(), '--grpc-address', '127.0.0.2:0']);
  writeFileSync(pathOf('ca.pem'), servers.certificate);
  const flags = ['--tls-ca', pathOf('ca.pem'), '--timeout', '2s', '--address'];
  const { code, output } = await runCli(['check', ...flags, service.grpcAddress, 'http://shop.example/x']);
  expect([code, output]).toEqual([3, expect.stringContaining('its certificate is not for 127.0.0.2')]);
});
