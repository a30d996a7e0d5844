import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEchoUpstream, type Echo } from '../../src/dev/echo-upstream.ts';
import type { RunningEnvoy } from '../../src/dev/envoy-process.ts';
import type { LoopbackServer } from '../../src/dev/loopback-server.ts';
import {
  checkOf,
  createCheckClient,
  encodeCheck,
  listenOverGrpc,
  type CheckAnswer,
  type CheckClient,
  type GrpcStand,
  type TransportName,
} from '../support/check-over-grpc.ts';
import { createDecisionStand, type DecisionStand } from '../support/decision-stand.ts';
import type { DecisionCase, Expectation } from '../../src/policy-test/policy-test.ts';
import { readPolicyTests } from '../support/policy-tests.ts';
import { contextRoutes, sendRouteMetadata } from './support/context-routes.ts';
import { rawHttp1 } from './support/raw-http1.ts';
import { rawHttp2 } from './support/raw-http2.ts';
import { startEnvoyBefore } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

const policyTests = readPolicyTests();
const transports = ['grpc-js', 'native'] as const satisfies readonly TransportName[];

for (const policyTest of policyTests) {
  describe(`${policyTest.name} over gRPC`, () => {
    let stand: DecisionStand;
    let servers: readonly GrpcStand[];
    let clients: readonly CheckClient[];
    beforeAll(async () => {
      stand = await createDecisionStand(policyTest.documents, { ...policyTest.options, ...policyTest });
      servers = await Promise.all(transports.map((transport) => listenOverGrpc(stand, transport)));
      clients = servers.map(({ address }) => createCheckClient(address));
    });
    afterAll(async () => {
      for (const client of clients) client.close();
      for (const server of servers) await server.close();
      stand.close();
    });
    /** The same on each transport. */
    const expectAnswers = async (check: object, expected: Expectation): Promise<void> => {
      for (const client of clients) expectAnswer(await client.send(encodeCheck(check)), expected);
    };
    const token = (one: DecisionCase) => (one.token === undefined ? undefined : stand.mint.mint(one.token));
    for (const one of policyTest.cases) {
      const { request, check } = one;
      if (request === undefined) {
        test(one.name, () => expectAnswers(check ?? {}, one.expect));
        continue;
      }
      test.each(['joined', 'apart'] as const)(`${one.name} (headers %s)`, async (form) => {
        await expectAnswers(checkOf(request, await token(one), form), one.expect);
      });
    }
  });
}

describeWithEnvoy('the decision cases through a real Envoy', (envoyBinary) => {
  // Who connects comes with certificates: client-certificates.test.ts.
  for (const policyTest of policyTests.filter(({ options }) => options.forwardedClientCertFrom === undefined)) {
    describe(policyTest.name, () => {
      const contexts = contextRoutes(policyTest);
      let stand: DecisionStand;
      let upstream: LoopbackServer;
      const servers: GrpcStand[] = [];
      const envoys: RunningEnvoy[] = [];
      /** An Envoy that asks over the transport. */
      const startOn = async (transport: TransportName): Promise<void> => {
        const server = await listenOverGrpc(stand, transport);
        servers.push(server);
        const behind = { envoyBinary, routes: contexts.routes, filter: sendRouteMetadata };
        envoys.push(await startEnvoyBefore(server.address, upstream.port, behind));
      };
      beforeAll(async () => {
        // Every request comes from this machine; the address of a case stands in x-forwarded-for, as a proxy before Envoy would write it.
        stand = await createDecisionStand(policyTest.documents, {
          ...policyTest.options,
          ...policyTest,
          trustedHops: 1,
        });
        upstream = await startEchoUpstream();
        // Each case comes as HTTP/1.1 and as HTTP/2: one goes over the one transport, one over the other.
        for (const transport of transports) await startOn(transport);
      }, 60_000);
      afterAll(async () => {
        for (const envoy of envoys) await envoy.close();
        await upstream.close();
        for (const server of servers) await server.close();
        stand.close();
      });
      for (const one of policyTest.cases) {
        if (one.request === undefined) continue;
        const { request } = one;
        const send = async (): Promise<readonly (readonly [string, string])[]> => {
          const forwarded = ['x-forwarded-for', request.clientIp ?? '198.51.100.7'] as const;
          const token = one.token === undefined ? undefined : await stand.mint.mint(one.token);
          const authorization = token === undefined ? [] : [['authorization', `Bearer ${token}`] as const];
          return [forwarded, ...authorization, ...contexts.headersFor(request), ...request.headers];
        };
        test(`${one.name} (HTTP/1.1)`, async () => {
          const lines = (await send()).map(([name, value]) => `${name}: ${value}`);
          const answer = await rawHttp1(envoys[0]?.port ?? 0, [
            `${request.method} ${request.path} HTTP/1.1`,
            `host: ${request.host}`,
            ...lines,
          ]);
          expectExchange(request.method, answer, one.expect);
          for (const [name, value] of Object.entries(one.expect.responseHeaders ?? {}))
            expect(answer.headers).toContainEqual([name, value]);
        });
        test(`${one.name} (HTTP/2)`, async () => {
          const answer = await rawHttp2(envoys[1]?.port ?? 0, [
            [':method', request.method],
            [':scheme', 'http'],
            [':authority', request.host],
            [':path', request.path],
            ...(await send()),
          ]);
          if (answer.kind === 'reset') throw new Error(`the stream was reset with ${answer.code}`);
          expectExchange(request.method, answer, one.expect);
        });
      }
    });
  }
});

/** Holds a CheckResponse against what a case expects. */
function expectAnswer(answer: CheckAnswer, expected: Expectation): void {
  if (expected.decision === 'allow') {
    expect(answer.status?.code).toBe(0);
    const set = Object.fromEntries((answer.okResponse?.headers ?? []).map(({ header }) => [header.key, header.value]));
    expect(set).toMatchObject(expected.upstreamHeaders ?? {});
    for (const name of expected.removedHeaders ?? []) expect(answer.okResponse?.headersToRemove).toContain(name);
    return;
  }
  expect(answer.status?.code).not.toBe(0);
  const denied = answer.deniedResponse;
  expectDenial(denied?.status?.code ?? 0, denied?.body ?? '', expected);
  const challenges = (denied?.headers ?? [])
    .filter(({ header }) => header.key === 'www-authenticate')
    .map(({ header }) => header.value);
  expect(challenges.join(', ')).toContain(expected.challenge ?? '');
}

/** Holds what a client got through a proxy against what a case expects: the upstream echoes what it received. */
function expectExchange(
  method: string,
  answer: { readonly status: number; readonly body: string },
  expected: Expectation,
): void {
  if (expected.decision === 'deny') {
    if (method !== 'HEAD') expectDenial(answer.status, answer.body, expected);
    else if (expected.status !== undefined) expect(answer.status).toBe(expected.status);
    else expect(answer.status).toBeGreaterThanOrEqual(400);
    return;
  }
  expect(answer.status).toBe(200);
  if (method === 'HEAD') return;
  const echoed = JSON.parse(answer.body) as Echo;
  const received = Object.fromEntries(
    Object.entries(echoed.headers).map(([name, values]) => [
      name,
      Buffer.from(values.join(), 'latin1').toString('utf8'),
    ]),
  );
  expect(received).toMatchObject(expected.upstreamHeaders ?? {});
  for (const name of expected.removedHeaders ?? []) expect(received).not.toHaveProperty([name]);
}

function expectDenial(status: number, body: string, expected: Expectation): void {
  if (expected.code === 'resource_metadata') {
    expect([status, Object.keys(JSON.parse(body) as object)[0]]).toEqual([200, 'resource']);
    return;
  }
  expect(status).toBeGreaterThanOrEqual(400);
  if (expected.status !== undefined) expect([status, body]).toEqual([expected.status, body]);
  if (expected.code !== undefined) expect((JSON.parse(body) as { readonly error: string }).error).toBe(expected.code);
}
