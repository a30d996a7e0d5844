import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { startEchoUpstream } from '../../../src/dev/echo-upstream.ts';
import type { RunningEnvoy } from '../../../src/dev/envoy-process.ts';
import type { LoopbackServer } from '../../../src/dev/loopback-server.ts';
import { eventually } from '../../support/eventually.ts';
import { findFreePort } from '../../support/kubernetes/free-port.ts';
import { envoyTls } from '../support/envoy-tls.ts';
import { getText, startServe, type ServeProcess } from '../support/serve-process.ts';
import { startEnvoyBefore } from '../support/stand.ts';
import { metricOf } from '../support/tls-folder.ts';
import { describeWithEnvoy } from '../support/with-envoy.ts';
import { clusterStat, endpointFact } from './support/envoy-admin.ts';
import { connectToEnvoy, type EnvoyClient } from './support/envoy-client.ts';
import { clients, openShop, patience, servers, type Shop } from './support/shop.ts';

/** As many as Envoy has at once on a connection, by default. */
const atOnce = 1024;

/** Envoy waits for a check as long as it takes, and has as many under way as there are. */
const filter = { grpc_service: { envoy_grpc: { cluster_name: 'portcullis' }, timeout: '25s' } };
const manyRequests = {
  circuit_breakers: { thresholds: [{ max_connections: 4096, max_pending_requests: 4096, max_requests: 4096 }] },
};

/** Envoy passes on at once what a health check has found: by default changes that follow another within a second wait for its end. */
const oftenChecked = {
  common_lb_config: { update_merge_window: '0s' },
  health_checks: [
    {
      timeout: '1s',
      interval: '0.1s',
      no_traffic_interval: '0.1s',
      unhealthy_threshold: 1,
      healthy_threshold: 1,
      grpc_health_check: {},
    },
  ],
};

describeWithEnvoy('a real Envoy with many checks under way before', (envoyBinary) => {
  describe.each(['grpc-js', 'native'])('%s', (transport) => {
    let shop: Shop;
    let upstream: LoopbackServer;
    const closers: (() => unknown)[] = [];

    beforeAll(async () => {
      [shop, upstream] = await Promise.all([openShop(), startEchoUpstream()]);
    });
    afterEach(async () => {
      for (const close of closers.splice(0).toReversed()) await close();
    });
    afterAll(async () => {
      await upstream.close();
      await shop.close();
    });

    /** A process of its own, ready. */
    async function serve(...flags: readonly (readonly [string, string])[]): Promise<ServeProcess> {
      const all = [...patience, ['--transport', transport], ['--shutdown-timeout', '20s'], ...flags].flat();
      const service = await startServe(shop.policies, ['--log-decisions', 'none', ...all]);
      closers.push(() => service.close());
      await eventually(async () => expect((await getText(service.httpPort, '/readyz')).status).toBe(200));
      return service;
    }

    async function envoyBefore(
      address: string,
      cluster: JsonObject,
    ): Promise<{ readonly envoy: RunningEnvoy; readonly client: EnvoyClient }> {
      const authorizationCluster = { ...manyRequests, ...cluster };
      const envoy = await startEnvoyBefore(address, upstream.port, { envoyBinary, filter, authorizationCluster });
      closers.push(() => envoy.close());
      const client = await connectToEnvoy(envoy.port);
      closers.push(() => client.close());
      return { envoy, client };
    }

    /** Tokens of a key that the service has to fetch first, half of them forged, with what becomes of each. */
    async function unknownTokens(): Promise<readonly (readonly [token: string, answer: string])[]> {
      await shop.issuer.rotate();
      return Promise.all(
        Array.from({ length: atOnce }, async (_, index) => {
          const user = `user-${index}`;
          const token = await shop.issuer.sign({ sub: user });
          return index % 2 === 0 ? ([token, `200 ${user}`] as const) : ([forge(token), '401'] as const);
        }),
      );
    }

    it.each<[string, () => { cluster: JsonObject; flags: Shop['mutualFlags'] }]>([
      ['in cleartext', () => ({ cluster: {}, flags: [] })],
      ['over TLS, with certificates of both', () => ({ cluster: overTls(), flags: shop.mutualFlags })],
    ])(
      '%s: 1024 at once on one connection are each answered right, and a drain in their middle loses none',
      async (_title, setup) => {
        const { cluster, flags } = setup();
        const service = await serve(...flags);
        const { grpcAddress } = service;
        const { envoy, client } = await envoyBefore(grpcAddress, cluster);
        const known = await shop.issuer.sign({ sub: 'alice' });
        expect(await client.order(known)).toBe('200 alice');
        const tokens = await unknownTokens();
        shop.gate.shut();
        const answers = tokens.map(([token]) => client.order(token));
        await eventually(async () => expect(await endpointFact(envoy, grpcAddress, 'rq_active')).toBe(`${atOnce}`));
        expect(await endpointFact(envoy, grpcAddress, 'cx_active')).toBe('1');
        // grpc-js refuses what it has not read when it is told to end; the native transport still takes what is on its way.
        if (transport === 'grpc-js') await eventually(async () => expect(await checksOf(service)).toBe(atOnce + 1));
        service.signal('SIGTERM');
        await eventually(() => expect(service.output()).toContain('"draining"'));
        shop.gate.open();
        const wrong = (await Promise.all(answers)).filter((answer, index) => answer !== tokens[index]?.[1]);
        expect(wrong).toEqual([]);
        expect([await service.ended, await clusterStat(envoy, 'upstream_rq_rx_reset')]).toEqual([0, 0]);
      },
    );

    it.each([
      ['as it is by default', {}],
      ['that it does not use', { hpack_table_size: 0 }],
      ['that is small', { hpack_table_size: 100 }],
    ])(
      'with a table of headers %s every request is answered by the policy, and none by the failure of a check',
      async (_title, protocol) => {
        const service = await serve();
        const cluster = { ...manyRequests, ...withHttp2(protocol) };
        const open = { ...filter, failure_mode_allow: true };
        const [allowed, forged] = [
          await shop.issuer.sign({ sub: 'alice' }),
          forge(await shop.issuer.sign({ sub: 'eve' })),
        ];
        for (const each of [filter, open]) {
          const setup = { envoyBinary, filter: each, authorizationCluster: cluster };
          const envoy = await startEnvoyBefore(service.grpcAddress, upstream.port, setup);
          closers.push(() => envoy.close());
          const client = await connectToEnvoy(envoy.port);
          closers.push(() => client.close());
          const tokens = [allowed, forged, allowed, forged, allowed];
          const answers = await Promise.all(tokens.map((token) => client.order(token)));
          expect(answers).toEqual(['200 alice', '401', '200 alice', '401', '200 alice']);
          expect(await clusterStat(envoy, 'upstream_cx_protocol_error')).toBe(0);
        }
      },
    );

    it('a drain under load over TLS answers all that was sent, as far as the transport can', async () => {
      const address = `127.0.0.1:${await findFreePort()}`;
      const { envoy, client } = await envoyBefore(address, overTls());
      const token = await shop.issuer.sign({ sub: 'alice' });
      const sent = (): Promise<number> => clusterStat(envoy, 'upstream_rq_total');
      for (let round = 0; round < 2; round++) {
        const service = await serve(...shop.mutualFlags, ['--grpc-address', address]);
        const before = await sent();
        const stop = client.keepAsking(token, 400);
        await eventually(async () => expect(await sent()).toBeGreaterThan(before + 800));
        service.signal('SIGTERM');
        expect(await service.ended).toBe(0);
        // Nobody listens any more: what comes now is refused by Envoy, which could not connect.
        for (const answer of Object.keys(await stop())) expect(['200 alice', '403']).toContain(answer);
      }
      const lost =
        (await clusterStat(envoy, 'upstream_rq_503')) - (await clusterStat(envoy, 'upstream_rq_pending_failure_eject'));
      // grpc-js refuses what was on its way to it when it sent its GOAWAY.
      expect(transport === 'native' ? lost : 0).toBe(0);
    });

    it('a replica after the other ends without losing a request, and one is back: health says so before the port is shut', async () => {
      const delay = ['--shutdown-delay', '1s'] as const;
      const replicas = [await serve(delay), await serve(delay)] as const;
      const addresses = replicas.map(({ grpcAddress }) => grpcAddress);
      const [first = ''] = addresses;
      const { envoy, client } = await envoyBefore(first, { ...oftenChecked, ...endpoints(addresses) });
      const flagsOf = (address: string): Promise<string | undefined> => endpointFact(envoy, address, 'health_flags');
      const isHealthy = (address: string) => eventually(async () => expect(await flagsOf(address)).toBe('healthy'));
      const requestsOf = async (address: string): Promise<number> =>
        Number(await endpointFact(envoy, address, 'rq_total'));

      /** Ends the replica and sees that Envoy turns away while it still serves. */
      async function end(replica: ServeProcess): Promise<void> {
        replica.signal('SIGTERM');
        await eventually(async () => expect(await flagsOf(replica.grpcAddress)).toBe('/failed_active_hc'));
        expect(replica.output()).not.toContain('"draining"');
        expect(await replica.ended).toBe(0);
      }

      for (const address of addresses) await isHealthy(address);
      const stop = client.keepAsking(await shop.issuer.sign({ sub: 'alice' }), 40);
      await end(replicas[0]);
      await serve(['--grpc-address', first]);
      await isHealthy(first);
      await end(replicas[1]);
      const before = await requestsOf(first);
      await eventually(async () => expect(await requestsOf(first)).toBeGreaterThan(before + 20));
      expect(Object.keys(await stop())).toEqual(['200 alice']);
    });
  });
});

/** How many checks have reached the service. */
function checksOf(service: ServeProcess): Promise<number> {
  const labels = 'grpc_type="unary",grpc_service="envoy.service.auth.v3.Authorization",grpc_method="Check"';
  return metricOf(service, `grpc_server_started_total{${labels}}`);
}

/** Envoy's cluster of the service with these options of HTTP/2. */
function withHttp2(options: JsonObject): JsonObject {
  const type = 'extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    typed_extension_protocol_options: {
      [`envoy.${type}`]: {
        '@type': `type.googleapis.com/envoy.${type}`,
        explicit_http_config: { http2_protocol_options: options },
      },
    },
  };
}

/** Envoy shows a certificate, and looks at that of the service. */
function overTls(): JsonObject {
  return envoyTls({ own: clients.issue(), trusted: servers.certificate });
}

function endpoints(addresses: readonly string[]): JsonObject {
  const lbEndpoints = addresses.map((address) => {
    const [host = '', port] = address.split(':');
    return { endpoint: { address: { socket_address: { address: host, port_value: Number(port) } } } };
  });
  return { load_assignment: { cluster_name: 'portcullis', endpoints: [{ lb_endpoints: lbEndpoints }] } };
}

/** The token with a signature that is none of its issuer's. */
function forge(token: string): string {
  const [head = '', body = '', signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return [head, body, bytes.toString('base64url')].join('.');
}
