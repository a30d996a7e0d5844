import { credentials } from '@grpc/grpc-js';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createAuthority, type TestPair } from '../support/certificates.ts';
import { createCheckClient, type CheckClient } from '../support/check-over-grpc.ts';
import { checkRequest } from '../unit/envoy/envoy-fixtures.ts';
import { getText, runCli, type ServeProcess } from './support/serve-process.ts';
import { clients, metricOf, reloadsOf, servers, strangers, useTlsFolder } from './support/tls-folder.ts';

const stage = useTlsFolder();
const { pathOf, write, tlsFlags, mutualFlags, serve } = stage;
const transports = ['grpc-js', 'native'];
const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** A client on a connection of its own. */
function clientOf(service: ServeProcess, own?: TestPair, trusted = servers.certificate): CheckClient {
  const parts = [own?.key, own?.certificate].map((text) => (text === undefined ? null : Buffer.from(text)));
  const client = createCheckClient(service.grpcAddress, credentials.createSsl(Buffer.from(trusted), ...parts));
  stage.onEnd(() => client.close());
  return client;
}

const check = checkRequest({ host: 'shop.example', path: '/x', protocol: 'HTTP/1.1' });

/** `allow`, or how the call failed, on a connection of its own that is closed again. */
async function askOnce(service: ServeProcess, own?: TestPair, trusted?: string): Promise<string> {
  const client = clientOf(service, own, trusted);
  try {
    return (await client.send(check)).status?.code === 0 ? 'allow' : 'deny';
  } catch {
    return 'no answer';
  } finally {
    client.close();
  }
}

describe.each(transports)('serve over TLS on %s', (transport) => {
  const on = ['--transport', transport];

  test('answers who trusts it, is healthy over HTTP without it, and tells when its certificate ends', async () => {
    const service = await serve([...tlsFlags(), ...on]);
    expect([await askOnce(service), await askOnce(service, undefined, strangers.certificate)]).toEqual([
      'allow',
      'no answer',
    ]);
    expect((await getText(service.httpPort, '/healthz')).status).toBe(200);
    const remaining = await metricOf(service, 'portcullis_tls_certificate_expiry_seconds{certificate="server"}');
    expect(remaining).toBeGreaterThan(86_400 - 3600);
    expect(remaining).toBeLessThanOrEqual(86_400);
    expect(service.lines().find(({ msg }) => msg === 'the gRPC port speaks TLS')).toMatchObject({
      level: 'info',
      minVersion: 'TLSv1.2',
      clientCertificates: 'not asked for',
    });
  });

  test('answers `check` by its address, and by a name of the certificate that the address has not', async () => {
    const ca = pathOf('servers-ca.crt');
    writeFileSync(ca, servers.certificate);
    const ask = async ({ grpcAddress }: ServeProcess, ...flags: readonly string[]) => {
      const to = ['--address', grpcAddress, '--tls-ca', ca, ...flags];
      const { code, output } = await runCli(['check', ...to, 'http://shop.example/x']);
      return [code, output.split('\n')[0]];
    };
    const named = ['--tls-server-name', 'portcullis.example'];
    const service = await serve([...tlsFlags(), ...on]);
    expect([await ask(service), await ask(service, ...named)]).toEqual([
      [0, 'ALLOWED'],
      [0, 'ALLOWED'],
    ]);
    expect(await ask(service, '--tls-server-name', 'other.example')).toEqual([
      3,
      expect.stringContaining('its certificate is not for other.example'),
    ]);
    // An address of this machine that the certificate has not.
    const elsewhere = await serve([...tlsFlags(), ...on, '--grpc-address', '127.0.0.2:0']);
    expect(await ask(elsewhere)).toEqual([3, expect.stringContaining('its certificate is not for 127.0.0.2')]);
    expect(await ask(elsewhere, ...named)).toEqual([0, 'ALLOWED']);
  });

  test('with issuers of clients answers nobody else, and says why, once', async () => {
    const service = await serve([...mutualFlags(), ...on]);
    const stranger = strangers.issue();
    const asked = [
      await askOnce(service, clients.issue()),
      await askOnce(service),
      await askOnce(service, stranger),
      await askOnce(service, stranger),
    ];
    expect(asked).toEqual(['allow', 'no answer', 'no answer', 'no answer']);
    const told = service.lines().filter(({ msg }) => String(msg).startsWith('a TLS handshake was refused'));
    expect(told.map(({ reason }) => reason)).toEqual([
      'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ]);
    expect(await metricOf(service, 'portcullis_tls_handshakes_total{result="refused"}')).toBeGreaterThanOrEqual(3);
    expect(service.output()).not.toContain('PRIVATE KEY');
  });

  test('SIGTERM under load over TLS loses no check', async () => {
    const service = await serve([...tlsFlags(), ...on, '--shutdown-delay', '300ms']);
    const client = clientOf(service);
    const outcomes: Promise<number | string>[] = [];
    const load = new AbortController();
    const loaded = (async () => {
      while (!load.signal.aborted) {
        outcomes.push(client.send(check).then(({ status }) => status?.code ?? -1, String));
        await sleep(2);
      }
    })();
    await sleep(200);
    service.signal('SIGTERM');
    await sleep(200);
    load.abort();
    await loaded;
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set([0]));
    client.close();
    expect(await service.ended).toBe(0);
  });
});

describe('a rotation', () => {
  test.each(transports)(
    'on %s, under load, through every way to write files, loses no check, and ends with the new certificate',
    async (transport) => {
      const next = createAuthority('next');
      const trusted = servers.certificate + next.certificate;
      const service = await serve([...mutualFlags(), '--transport', transport]);
      const own = clients.issue();
      const steady = clientOf(service, own, trusted);
      const outcomes: Promise<string>[] = [];
      const load = new AbortController();
      const loaded = (async () => {
        while (!load.signal.aborted) {
          outcomes.push(askOnce(service, own, trusted));
          outcomes.push(steady.send(check).then(({ status }) => (status?.code === 0 ? 'allow' : 'deny'), String));
          await sleep(5);
        }
      })();
      for (const [round, way] of (['in place', 'renamed', 'half by half'] as const).entries()) {
        await sleep(150);
        await rotate(servers.issue(), way);
        await expect.poll(() => reloadsOf(service, 'ok'), { timeout: 8000 }).toBe(round + 1);
      }
      await rotate(next.issue(), 'renamed');
      await expect.poll(() => reloadsOf(service, 'ok'), { timeout: 8000 }).toBe(4);
      await sleep(100);
      load.abort();
      await loaded;
      expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['allow']));
      expect(outcomes.length).toBeGreaterThan(50);
      expect(await askOnce(service, own, next.certificate)).toBe('allow');
      expect(await askOnce(service, own, servers.certificate)).toBe('no answer');
    },
  );

  async function rotate(pair: TestPair, way: 'in place' | 'renamed' | 'half by half'): Promise<void> {
    switch (way) {
      case 'in place':
        write(pair);
        break;
      case 'renamed':
        writeFileSync(pathOf('next.crt'), pair.certificate);
        writeFileSync(pathOf('next.key'), pair.key);
        renameSync(pathOf('next.crt'), pathOf('tls.crt'));
        renameSync(pathOf('next.key'), pathOf('tls.key'));
        break;
      case 'half by half':
        writeFileSync(pathOf('tls.crt'), pair.certificate);
        await sleep(400);
        writeFileSync(pathOf('tls.key'), pair.key);
    }
  }

  test('of a Kubernetes secret, which is a swap of links, and of the issuers in it', async () => {
    rmSync(pathOf('tls.crt'));
    rmSync(pathOf('tls.key'));
    rmSync(pathOf('ca.crt'));
    const version = (name: string, pair: TestPair, clientCa: string): void => {
      mkdirSync(pathOf(name));
      const texts = { 'tls.crt': pair.certificate, 'tls.key': pair.key, 'ca.crt': clientCa };
      for (const [file, text] of Object.entries(texts)) writeFileSync(pathOf(join(name, file)), text);
    };
    version('..v1', servers.issue(), clients.certificate);
    symlinkSync('..v1', pathOf('..data'));
    for (const name of ['tls.crt', 'tls.key', 'ca.crt']) symlinkSync(join('..data', name), pathOf(name));
    const service = await serve(mutualFlags());
    const [before, after] = [clients.issue(), strangers.issue()];
    expect([await askOnce(service, before), await askOnce(service, after)]).toEqual(['allow', 'no answer']);
    version('..v2', servers.issue(), strangers.certificate);
    symlinkSync('..v2', pathOf('..data_tmp'));
    renameSync(pathOf('..data_tmp'), pathOf('..data'));
    await expect.poll(() => reloadsOf(service, 'ok')).toBe(1);
    expect([await askOnce(service, before), await askOnce(service, after)]).toEqual(['no answer', 'allow']);
    expect(await reloadsOf(service, 'failed')).toBe(0);
  });

  test('that is half done, bad or expired keeps the last good pair serving, and is told once', async () => {
    const service = await serve(tlsFlags());
    const bad: readonly (() => void)[] = [
      () => writeFileSync(pathOf('tls.crt'), servers.issue().certificate),
      () => write({ certificate: 'no certificate', key: 'no key' }),
      () => write(servers.issue({ to: Date.now() - 60_000 })),
      () => rmSync(pathOf('tls.key')),
    ];
    for (const [index, spoil] of bad.entries()) {
      spoil();
      await expect.poll(() => reloadsOf(service, 'failed'), { timeout: 8000 }).toBe(index + 1);
      expect(await askOnce(service)).toBe('allow');
    }
    await sleep(3500);
    expect([await reloadsOf(service, 'failed'), await reloadsOf(service, 'ok')]).toEqual([4, 0]);
    const told = service.lines().filter(({ msg }) => String(msg).startsWith('the TLS files cannot be used'));
    expect(
      told.map(
        ({ level, why }) =>
          `${String(level)} ${String(why)
            .replace(`${pathOf('')}/`, '')
            .slice(0, 26)}`,
      ),
    ).toEqual([
      'error tls.key is not the key of ',
      'error tls.crt holds no certifica',
      'error tls.crt has expired on 202',
      'error tls.key cannot be read (EN',
    ]);
    write(servers.issue());
    await expect.poll(() => reloadsOf(service, 'ok'), { timeout: 8000 }).toBe(1);
    expect(await askOnce(service)).toBe('allow');
  });
});

describe('a start with TLS that cannot be is one clear error', () => {
  const start = async (flags: readonly string[]) => {
    const quiet = ['--http-address', '127.0.0.1:0', '--admin-address', ''];
    const { code, output } = await runCli(['serve', '--policies', pathOf('policies'), ...quiet, ...flags]);
    return `${code} ${output.replaceAll(`${pathOf('')}/`, '')}`;
  };
  const port = ['--grpc-address', '127.0.0.1:0'];

  test.each<[string, () => void, string]>([
    [
      'a pair that does not fit',
      () => writeFileSync(pathOf('tls.key'), servers.issue().key),
      '1 portcullis: tls.key is not the key of the first certificate',
    ],
    [
      'a pair that has expired',
      () => write(servers.issue({ to: Date.now() - 60_000 })),
      '1 portcullis: tls.crt has expired on',
    ],
    ['a file that is not there', () => rmSync(pathOf('tls.key')), '1 portcullis: tls.key cannot be read (ENOENT)'],
    [
      'issuers that are none',
      () => writeFileSync(pathOf('ca.crt'), ''),
      '1 portcullis: ca.crt holds no certificate in PEM',
    ],
  ])('%s', async (_title, spoil, expected) => {
    spoil();
    const said = await start([...port, ...mutualFlags()]);
    expect(said).toContain(expected);
    expect(said.trimEnd().split('\n')).toHaveLength(1);
  });

  test('a certificate without its key, and TLS on a unix socket', async () => {
    expect(await start([...port, '--tls-certificate', pathOf('tls.crt')])).toMatch(/^2 .*tlsCertificate needs tlsKey/);
    expect(await start([...tlsFlags(), '--grpc-address', `unix:${pathOf('x.sock')}`])).toMatch(
      /^2 .*tlsCertificate does not go with a unix socket/,
    );
  });
});
