import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isJsonObject, type JsonObject } from '../../src/core/json.ts';
import { startEchoUpstream } from '../../src/dev/echo-upstream.ts';
import { startEnvoy } from '../../src/dev/envoy-process.ts';
import { exchange } from '../../src/dev/http-exchange.ts';
import { outcomeOfAnswer } from '../../src/dev/outcome.ts';
import { eventually } from '../support/eventually.ts';
import { at } from '../support/kubernetes/chart.ts';
import { startServe, type ServeProcess } from './support/serve-process.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

const policy = `
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: open, namespace: shop}
spec:
  hosts: [localhost]
  rules: [{name: open, matches: [{path: {type: PathPrefix, value: /open}}], access: Public}]
`;

/** The example with other ports; fails where one of its own is not there. */
function withPorts(example: string, ports: ReadonlyMap<number, number>): JsonObject {
  let text = example;
  for (const [from, to] of ports) {
    const field = `port_value: ${from}}`;
    expect(text.split(field)).toHaveLength(2);
    text = text.replace(field, `port_value: ${to}}`);
  }
  const config: unknown = parse(text);
  if (!isJsonObject(config)) throw new Error('the example is not a map');
  return config;
}

/** The first endpoint of the cluster once more, at another port. */
function withSecondEndpoint(config: JsonObject, port: number): JsonObject {
  const endpoints = at(config, 'static_resources.clusters.0.load_assignment.endpoints.0.lb_endpoints');
  if (!Array.isArray(endpoints)) throw new Error('the example has no endpoints');
  endpoints.push({ endpoint: { address: { socket_address: { address: 'localhost', port_value: port } } } });
  return config;
}

describeWithEnvoy('deploy/envoy/envoy.yaml before two replicas', (envoyBinary) => {
  const closers: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const close of closers.toReversed()) await close();
  });

  it.each([
    ['stands still', 'SIGSTOP'],
    ['dies', 'SIGKILL'],
  ] as const)('denies nothing more within seconds after one of them %s', async (_, signal) => {
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-example-'));
    closers.push(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'policy.yaml'), policy);
    const [first, second] = await Promise.all([startServe(folder), startServe(folder)]);
    closers.push(
      () => first.close(),
      () => second.close(),
    );
    const upstream = await startEchoUpstream();
    closers.push(() => upstream.close());
    const portOf = ({ grpcAddress }: ServeProcess): number => Number(grpcAddress.split(':').at(-1));
    const ports = new Map([
      [10_000, 0],
      [9001, portOf(first)],
      [8080, upstream.port],
      [9901, 0],
    ]);
    const config = withPorts(await readFile('deploy/envoy/envoy.yaml', 'utf8'), ports);
    const envoy = await startEnvoy(envoyBinary, withSecondEndpoint(config, portOf(second)));
    closers.push(() => envoy.close());
    const ask = async (times: number): Promise<readonly number[]> => {
      const asked = Array.from({ length: times }, () =>
        exchange(envoy.port, { method: 'GET', path: '/open/x', headers: { host: 'localhost' } }),
      );
      return (await Promise.all(asked)).map(({ status }) => status);
    };
    const good = Array.from({ length: 20 }, () => 200);
    await eventually(async () => expect(await ask(20)).toEqual(good), 10_000);
    second.signal(signal);
    // Until a check has failed twice its share is denied, and by Envoy: nobody was asked.
    expect(await ask(20)).toContain(503);
    await eventually(async () => expect(await ask(20)).toEqual(good), 10_000);
    expect(await ask(20)).toEqual(good);
    second.signal('SIGKILL');
    await second.ended;
  });
});

describeWithEnvoy('deploy/envoy/envoy.yaml', (envoyBinary) => {
  const closers: (() => Promise<unknown>)[] = [];
  let port = 0;
  let service: ServeProcess;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-example-'));
    closers.push(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'policy.yaml'), policy);
    service = await startServe(folder);
    closers.push(() => service.close());
    const upstream = await startEchoUpstream();
    closers.push(() => upstream.close());
    const grpcPort = Number(service.grpcAddress.split(':').at(-1));
    const ports = new Map([
      [10_000, 0],
      [9001, grpcPort],
      [8080, upstream.port],
      [9901, 0],
    ]);
    const envoy = await startEnvoy(envoyBinary, withPorts(await readFile('deploy/envoy/envoy.yaml', 'utf8'), ports));
    closers.push(() => envoy.close());
    port = envoy.port;
  });
  afterAll(async () => {
    for (const close of closers.toReversed()) await close();
  });

  it('resolves a path before it asks, and lets no second reading of one through', async () => {
    const ask = async (path: string, headers: Record<string, string> = {}): Promise<unknown> => {
      const answer = await exchange(port, { method: 'GET', path, headers: { host: 'localhost', ...headers } });
      const { decision, ...about } = outcomeOfAnswer(answer.status, answer.body);
      return [answer.status, decision, 'code' in about ? about.code : undefined];
    };
    expect(await ask('//open//x')).toEqual([200, 'allow', undefined]);
    expect(await ask('/open/../other')).toEqual([403, 'deny', 'no_rule']);
    expect(await ask('/open/%2e%2e/other')).toEqual([403, 'deny', 'no_rule']);
    expect(await ask('/open/..%2fother')).toEqual([400, 'deny', 'path_not_canonical']);
    // Envoy's own answer: nobody was asked.
    expect(await ask('/open/x', { x_user_id: 'root' })).toEqual([400, 'deny', undefined]);
    expect(await ask('/open/x', { 'x-user-id': 'root' })).toEqual([200, 'allow', undefined]);
  });

  it('asks Portcullis about every request: what a rule allows goes on, everything else is denied', async () => {
    const ask = async (path: string): Promise<unknown> => {
      const answer = await exchange(port, { method: 'GET', path, headers: { host: `localhost:${port}` } });
      return [answer.status, outcomeOfAnswer(answer.status, answer.body)];
    };
    expect(await ask('/open/x')).toMatchObject([200, { decision: 'allow' }]);
    expect(await ask('/other')).toMatchObject([403, { decision: 'deny', code: 'no_rule' }]);
  });

  it('denies with 503 where Portcullis is gone', async () => {
    service.signal('SIGKILL');
    await service.ended;
    const answer = await exchange(port, { method: 'GET', path: '/open/x', headers: { host: 'localhost' } });
    expect(answer.status).toBe(503);
  });
});
