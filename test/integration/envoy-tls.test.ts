import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import type { JsonObject } from '../../src/core/json.ts';
import { startEchoUpstream } from '../../src/dev/echo-upstream.ts';
import type { RunningEnvoy } from '../../src/dev/envoy-process.ts';
import { exchange } from '../../src/dev/http-exchange.ts';
import { envoyTls, shortConnections } from './support/envoy-tls.ts';
import { patientFilter } from './support/patient-filter.ts';
import type { ServeProcess } from './support/serve-process.ts';
import { startEnvoyBefore } from './support/stand.ts';
import { clients, metricOf, openPolicy, reloadsOf, servers, strangers, useTlsFolder } from './support/tls-folder.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

const stage = useTlsFolder();
const { pathOf, write, tlsFlags, mutualFlags, serve } = stage;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

describeWithEnvoy('a real Envoy over TLS', (envoyBinary) => {
  async function envoyBefore(
    service: ServeProcess,
    authorizationCluster: JsonObject,
    more: JsonObject = {},
  ): Promise<RunningEnvoy> {
    const upstream = await startEchoUpstream();
    stage.onEnd(() => upstream.close());
    const envoy = await startEnvoyBefore(service.grpcAddress, upstream.port, {
      envoyBinary,
      authorizationCluster,
      ...more,
    });
    stage.onEnd(() => envoy.close());
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

  it.each(['grpc-js', 'native'])(
    'on ever new connections to %s loses no check while the pair is rotated',
    async (transport) => {
      const service = await serve([...mutualFlags(), '--transport', transport]);
      const cluster = {
        ...envoyTls({ own: clients.issue(), trusted }),
        ...shortConnections(3),
        connect_timeout: '10s',
      };
      const envoy = await envoyBefore(service, cluster, { filter: patientFilter });
      const answers: Promise<number>[] = [];
      for (let i = 0; i < 300; i++) {
        if (i % 60 === 30) write(servers.issue());
        answers.push(get(envoy));
        await sleep(8);
      }
      expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
      expect(await reloadsOf(service, 'ok')).toBeGreaterThanOrEqual(2);
      expect(await metricOf(service, 'portcullis_tls_handshakes_total{result="ok"}')).toBeGreaterThan(50);
    },
  );

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

  it.each(['grpc-js', 'native'])(
    'sends bodies up to the limit of a message to %s, and takes more for a failure of ours',
    async (transport) => {
      const service = await serve([...tlsFlags(), '--max-receive-bytes', '65536', '--transport', transport]);
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
      writeFileSync(pathOf('policies/policy.yaml'), openPolicy.replace('shop.example', '127.0.0.1'));
      await expect.poll(() => post(10)).toBe(200);
      expect([await post(60_000), await post(65_536), await post(1_000_001)]).toEqual([200, 403, 413]);
    },
  );
});
