import { credentials } from '@grpc/grpc-js';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import type { JsonObject } from '../../src/core/json.ts';
import { startEchoUpstream } from '../../src/dev/echo-upstream.ts';
import type { RunningEnvoy } from '../../src/dev/envoy-process.ts';
import { exchange } from '../../src/dev/http-exchange.ts';
import { createAuthority, type TestPair } from '../support/certificates.ts';
import { createCheckClient, type CheckClient } from '../support/check-over-grpc.ts';
import { checkRequest } from '../unit/envoy/envoy-fixtures.ts';
import { envoyTls, shortConnections } from './support/envoy-tls.ts';
import { getText, runCli, startServe, type ServeProcess } from './support/serve-process.ts';
import { startEnvoyBefore } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

const servers = createAuthority('servers');
const clients = createAuthority('clients');
const strangers = createAuthority('strangers');

let folder: string;
const closers: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-tls-'));
  mkdirSync(join(folder, 'policies'));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'policies', 'policy.yaml'), policy);
  write(servers.issue());
  writeFileSync(pathOf('ca.crt'), clients.certificate);
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const policy = `
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: open, namespace: shop}
spec:
  hosts: [shop.example]
  rules:
  - {name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Public}
  - {name: never, matches: [{path: {type: PathPrefix, value: /never}}], access: Denied}
`;

const pathOf = (name: string): string => join(folder, name);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

function write({ certificate, key }: TestPair): void {
  writeFileSync(pathOf('tls.crt'), certificate);
  writeFileSync(pathOf('tls.key'), key);
}

const tlsFlags = () => ['--tls-certificate', pathOf('tls.crt'), '--tls-key', pathOf('tls.key')];
const mutualFlags = () => [...tlsFlags(), '--tls-client-ca', pathOf('ca.crt')];

async function serve(flags: readonly string[]): Promise<ServeProcess> {
  const service = await startServe(pathOf('policies'), flags);
  closers.push(() => service.close());
  await expect.poll(async () => (await getText(service.httpPort, '/readyz')).status).toBe(200);
  return service;
}

/** A client on a connection of its own. */
function clientOf(service: ServeProcess, own?: TestPair, trusted = servers.certificate): CheckClient {
  const parts = [own?.key, own?.certificate].map((text) => (text === undefined ? null : Buffer.from(text)));
  const client = createCheckClient(service.grpcAddress, credentials.createSsl(Buffer.from(trusted), ...parts));
  closers.push(() => client.close());
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

async function metric(service: ServeProcess, name: string): Promise<number> {
  const { text } = await getText(service.httpPort, '/metrics');
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1));
}

const reloads = (service: ServeProcess, result: 'ok' | 'failed'): Promise<number> =>
  metric(service, `portcullis_tls_reloads_total{result="${result}"}`);

describe('serve over TLS', () => {
  test('answers who trusts it, is healthy over HTTP without it, and tells when its certificate ends', async () => {
    const service = await serve(tlsFlags());
    expect([await askOnce(service), await askOnce(service, undefined, strangers.certificate)]).toEqual([
      'allow',
      'no answer',
    ]);
    expect((await getText(service.httpPort, '/healthz')).status).toBe(200);
    const remaining = await metric(service, 'portcullis_tls_certificate_expiry_seconds{certificate="server"}');
    expect(remaining).toBeGreaterThan(86_400 - 3600);
    expect(remaining).toBeLessThanOrEqual(86_400);
    expect(service.lines().find(({ msg }) => msg === 'the gRPC port speaks TLS')).toMatchObject({
      level: 'info',
      minVersion: 'TLSv1.2',
      clientCertificates: 'not asked for',
    });
  });

  test('with issuers of clients answers nobody else, and says why, once', async () => {
    const service = await serve(mutualFlags());
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
    expect(await metric(service, 'portcullis_tls_handshakes_total{result="refused"}')).toBeGreaterThanOrEqual(3);
    expect(service.output()).not.toContain('PRIVATE KEY');
  });

  test('SIGTERM under load over TLS loses no check', async () => {
    const service = await serve([...tlsFlags(), '--shutdown-delay', '300ms']);
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
  test('under load, through every way to write files, loses no check, and ends with the new certificate', async () => {
    const next = createAuthority('next');
    const trusted = servers.certificate + next.certificate;
    const service = await serve(mutualFlags());
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
      await expect.poll(() => reloads(service, 'ok'), { timeout: 8000 }).toBe(round + 1);
    }
    await rotate(next.issue(), 'renamed');
    await expect.poll(() => reloads(service, 'ok'), { timeout: 8000 }).toBe(4);
    await sleep(100);
    load.abort();
    await loaded;
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['allow']));
    expect(outcomes.length).toBeGreaterThan(50);
    expect(await askOnce(service, own, next.certificate)).toBe('allow');
    expect(await askOnce(service, own, servers.certificate)).toBe('no answer');
  });

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
      for (const [file, text] of Object.entries(texts)) writeFileSync(join(folder, name, file), text);
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
    await expect.poll(() => reloads(service, 'ok')).toBe(1);
    expect([await askOnce(service, before), await askOnce(service, after)]).toEqual(['no answer', 'allow']);
    expect(await reloads(service, 'failed')).toBe(0);
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
      await expect.poll(() => reloads(service, 'failed'), { timeout: 8000 }).toBe(index + 1);
      expect(await askOnce(service)).toBe('allow');
    }
    await sleep(3500);
    expect([await reloads(service, 'failed'), await reloads(service, 'ok')]).toEqual([4, 0]);
    const told = service.lines().filter(({ msg }) => String(msg).startsWith('the TLS files cannot be used'));
    expect(
      told.map(({ level, why }) => `${String(level)} ${String(why).replace(`${folder}/`, '').slice(0, 26)}`),
    ).toEqual([
      'error tls.key is not the key of ',
      'error tls.crt holds no certifica',
      'error tls.crt has expired on 202',
      'error tls.key cannot be read (EN',
    ]);
    write(servers.issue());
    await expect.poll(() => reloads(service, 'ok'), { timeout: 8000 }).toBe(1);
    expect(await askOnce(service)).toBe('allow');
  });
});

describe('a start with TLS that cannot be is one clear error', () => {
  const start = async (flags: readonly string[]) => {
    const quiet = ['--http-address', '127.0.0.1:0', '--admin-address', ''];
    const { code, output } = await runCli(['serve', '--policies', pathOf('policies'), ...quiet, ...flags]);
    return `${code} ${output.replaceAll(`${folder}/`, '')}`;
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

describeWithEnvoy('a real Envoy over TLS', (envoyBinary) => {
  async function envoyBefore(
    service: ServeProcess,
    authorizationCluster: JsonObject,
    more: JsonObject = {},
  ): Promise<RunningEnvoy> {
    const upstream = await startEchoUpstream();
    closers.push(() => upstream.close());
    const envoy = await startEnvoyBefore(service.grpcAddress, upstream.port, {
      envoyBinary,
      authorizationCluster,
      ...more,
    });
    closers.push(() => envoy.close());
    return envoy;
  }

  const get = async (envoy: RunningEnvoy, path = '/x'): Promise<number> =>
    (await exchange(envoy.port, { method: 'GET', path, headers: { host: 'shop.example' } })).status;

  const trusted = servers.certificate;
  const oldVersions = { tls_minimum_protocol_version: 'TLSv1_0', tls_maximum_protocol_version: 'TLSv1_1' };

  it.each<[string, JsonObject, number]>([
    ['with a certificate of the issuer: answered', envoyTls({ own: clients.issue(), trusted }), 200],
    [
      'with it, and TLS 1.2: answered',
      envoyTls({ own: clients.issue(), trusted, params: { tls_maximum_protocol_version: 'TLSv1_2' } }),
      200,
    ],
    [
      'with it, and no word of a protocol for checks: answered',
      envoyTls({ own: clients.issue(), trusted, protocols: [] }),
      200,
    ],
    ['without a certificate: refused', envoyTls({ own: undefined, trusted }), 403],
    ['with a certificate of strangers: refused', envoyTls({ own: strangers.issue(), trusted }), 403],
    ['with TLS 1.1: refused', envoyTls({ own: clients.issue(), trusted, params: oldVersions }), 403],
    ['in cleartext: refused', {}, 403],
    ['that does not trust us: it refuses', envoyTls({ own: clients.issue(), trusted: strangers.certificate }), 403],
  ])('%s', async (_title, cluster, status) => {
    const service = await serve(mutualFlags());
    expect(await get(await envoyBefore(service, cluster))).toBe(status);
  });

  it('as docs/tls.md configures it is answered', async () => {
    const [, text = ''] = /```yaml\n(transport_socket:.*?)```/s.exec(readFileSync('docs/tls.md', 'utf8')) ?? [];
    const own = clients.issue();
    for (const [name, pem] of Object.entries({
      'own.crt': own.certificate,
      'own.key': own.key,
      'servers.crt': trusted,
    })) {
      writeFileSync(pathOf(name), pem);
    }
    const here = text
      .replace('/etc/envoy/tls/tls.crt', pathOf('own.crt'))
      .replace('/etc/envoy/tls/tls.key', pathOf('own.key'))
      .replace('/etc/envoy/tls/ca.crt', pathOf('servers.crt'));
    const service = await serve(mutualFlags());
    expect(await get(await envoyBefore(service, parse(here) as JsonObject))).toBe(200);
  });

  it.each<[string, JsonObject, string]>([
    ['that names HTTP/2 checks health', envoyTls({ own: clients.issue(), trusted }), 'healthy'],
    [
      'that names none is refused for its health checks',
      envoyTls({ own: clients.issue(), trusted, protocols: [] }),
      '/failed_active_hc',
    ],
  ])('%s', async (_title, cluster, health) => {
    const service = await serve(mutualFlags());
    const often = {
      timeout: '1s',
      interval: '0.2s',
      no_traffic_interval: '0.2s',
      unhealthy_threshold: 1,
      healthy_threshold: 1,
    };
    const envoy = await envoyBefore(service, { ...cluster, health_checks: [{ ...often, grpc_health_check: {} }] });
    const flags = async (): Promise<string | undefined> => {
      const { body } = await exchange(envoy.adminPort, {
        method: 'GET',
        path: '/clusters',
        headers: { host: 'admin' },
      });
      return /^portcullis::.*::health_flags::(.*)$/mu.exec(body)?.[1];
    };
    await sleep(500);
    expect(await flags()).toBe(health);
    const told = service.lines().filter(({ reason }) => reason === 'NO_APPLICATION_PROTOCOL').length;
    expect([await get(envoy), told]).toEqual([200, health === 'healthy' ? 0 : 1]);
  });

  it('on ever new connections loses no check while the pair is rotated', async () => {
    const service = await serve(mutualFlags());
    const cluster = { ...envoyTls({ own: clients.issue(), trusted }), ...shortConnections(3) };
    const envoy = await envoyBefore(service, cluster);
    const answers: Promise<number>[] = [];
    for (let i = 0; i < 300; i++) {
      if (i % 60 === 30) write(servers.issue());
      answers.push(get(envoy));
      await sleep(8);
    }
    expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
    expect(await reloads(service, 'ok')).toBeGreaterThanOrEqual(2);
    expect(await metric(service, 'portcullis_tls_handshakes_total{result="ok"}')).toBeGreaterThan(50);
  });

  it('keeps the id of the decision, the policy, the rule and the code of an allow and of a deny', async () => {
    const service = await serve(mutualFlags());
    const log = pathOf('access.log');
    const of = (name: string): string => `%DYNAMIC_METADATA(envoy.filters.http.ext_authz:${name})%`;
    const names = ['decision_id', 'policy', 'rule', 'code', 'decision'];
    const accessLog = {
      name: 'envoy.access_loggers.file',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
        path: log,
        log_format: { json_format: Object.fromEntries(names.map((name) => [name, of(name)])) },
      },
    };
    const headers = [{ header: { key: 'x-decision', value: of('decision_id') } }];
    const routes = [{ match: { prefix: '/' }, route: { cluster: 'upstream' }, request_headers_to_add: headers }];
    const more = { connectionManager: { access_log: [accessLog] }, routes };
    const envoy = await envoyBefore(service, envoyTls({ own: clients.issue(), trusted }), more);
    const ask = (path: string) => exchange(envoy.port, { method: 'GET', path, headers: { host: 'shop.example' } });
    const allowed = JSON.parse((await ask('/x')).body) as { headers: Record<string, readonly string[]> };
    const denied = JSON.parse((await ask('/never')).body) as { decision: string };
    await ask('//');
    await envoy.close();
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      {
        decision: 'allow',
        code: 'ok',
        policy: 'shop/open',
        rule: 'all',
        decision_id: allowed.headers['x-decision']?.[0],
      },
      { decision: 'deny', code: 'denied', policy: 'shop/open', rule: 'never', decision_id: denied.decision },
      {
        decision: 'deny',
        code: 'path_not_canonical',
        policy: '',
        rule: '',
        decision_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
      },
    ]);
    expect(denied.decision).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('sends bodies up to the limit of a message, and takes more for a failure of ours', async () => {
    const service = await serve([...tlsFlags(), '--max-receive-bytes', '65536']);
    const filter = { with_request_body: { max_request_bytes: 1_000_000, allow_partial_message: false } };
    const envoy = await envoyBefore(service, envoyTls({ own: undefined, trusted }), { filter });
    const post = async (bytes: number): Promise<number> => {
      const answer = await fetch(`http://127.0.0.1:${envoy.port}/x`, {
        method: 'POST',
        body: 'x'.repeat(bytes),
      });
      await answer.text();
      return answer.status;
    };
    writeFileSync(join(folder, 'policies', 'policy.yaml'), policy.replace('shop.example', '127.0.0.1'));
    await expect.poll(() => post(10)).toBe(200);
    expect([await post(60_000), await post(65_536), await post(1_000_001)]).toEqual([200, 403, 413]);
  });
});
