import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { configFileFlag, settingEntries } from '../../../src/runtime/config/settings.ts';
import {
  at,
  dataAt,
  objectsOf,
  pick,
  renderChart,
  scenarios,
  textAt,
  textsAt,
  type ChartUse,
} from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { healthOf, runCli, startServe, type ServeProcess } from '../support/serve-process.ts';

const flags = settingEntries().map(([, setting]) => setting.flag);
const variables = settingEntries().map(([, setting]) => setting.env);

/** A container of ours, with the settings of its config file where it has one. */
interface Served {
  readonly container: JsonValue;
  readonly config: string | undefined;
}

/** The containers of a scenario that run `serve`: the central service's and the sidecar's. */
async function servedBy(cluster: Cluster, use: ChartUse): Promise<readonly Served[]> {
  const objects = await renderChart(cluster, use);
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  const name = textAt(deployment, 'metadata.name');
  const container = at(deployment, 'spec.template.spec.containers.0');
  const central =
    container === undefined ? [] : [{ container, config: dataAt(pick(objects, 'ConfigMap', name), 'config.yaml') }];
  const sidecar = objects.find((object) => textAt(object, 'metadata.name').endsWith('-sidecar'));
  if (sidecar?.['kind'] !== 'ConfigMap') return central;
  return [...central, { container: objectsOf(dataAt(sidecar, 'container.yaml'))[0] ?? null, config: undefined }];
}

/** The variables of a container that are ours. */
function settingsOfEnvironment(container: JsonValue): readonly (readonly [string, string])[] {
  const env = at(container, 'env');
  const entries = (Array.isArray(env) ? env : []).map(
    (entry) => [textAt(entry, 'name'), textAt(entry, 'value')] as const,
  );
  return entries.filter(([name]) => name.startsWith('PORTCULLIS_'));
}

describeWithCluster('what the chart runs', () => {
  let cluster: Cluster;
  let folder: string;

  beforeAll(async () => {
    cluster = await startCluster();
    folder = await mkdtemp(join(tmpdir(), 'portcullis-chart-'));
  });
  afterAll(async () => {
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  describe.each(scenarios)('with ci/%s-values.yaml', (scenario) => {
    it('passes flags, variables and keys that serve knows', async () => {
      for (const { container, config } of await servedBy(cluster, { scenario })) {
        const [command, ...args] = textsAt(container, 'args');
        expect(command).toBe('serve');
        expect(args.filter((arg) => !/^--[a-z-]+=/u.test(arg))).toEqual([]);
        const passed = args.map((arg) => arg.slice(0, arg.indexOf('=')));
        expect(passed.filter((flag) => flag !== configFileFlag && !flags.some((known) => known === flag))).toEqual([]);
        const names = settingsOfEnvironment(container).map(([name]) => name);
        expect(names.filter((name) => !variables.some((known) => known === name))).toEqual([]);
        const keys = Object.keys((parse(config ?? '') as JsonObject | null) ?? {});
        expect(keys.filter((key) => !settingEntries().some(([known]) => known === key))).toEqual([]);
      }
    });

    it('is a configuration that serve takes', async () => {
      for (const { container, config = '' } of await servedBy(cluster, { scenario })) {
        const file = join(folder, 'config.yaml');
        await writeFile(file, config);
        const args = textsAt(container, 'args').map((arg) =>
          arg
            .replace('$(POD_NAME)', 'portcullis-5d9c-x7')
            .replace('$(POD_NAMESPACE)', 'shop')
            .replace(/^--config=.*/u, `--config=${file}`),
        );
        const environment = Object.fromEntries(settingsOfEnvironment(container));
        const kubeconfig = `--kubeconfig=${cluster.kubeconfigPath('nobody')}`;
        const { code, output } = await runCli([...args, kubeconfig, '--print-config'], undefined, environment);
        expect([code, output]).toEqual([0, expect.stringContaining('policySelector')]);
      }
    });
  });

  it('tells a sidecar what the config file tells the central service', async () => {
    const [central, sidecar] = await servedBy(cluster, { scenario: 'sidecar' });
    expect(Object.fromEntries(settingsOfEnvironment(sidecar?.container ?? null))).toEqual({
      PORTCULLIS_HOST_GRANTS: 'pay=pay.example.com,shop=shop.example.com,shop=*.shop.example.com',
      PORTCULLIS_LOG_DECISIONS: 'denied',
      PORTCULLIS_MAX_RECEIVE_BYTES: '16777216',
      PORTCULLIS_OWNED_HEADERS: 'x-user,x-roles',
      PORTCULLIS_SHUTDOWN_DELAY: '5s',
      PORTCULLIS_SHUTDOWN_TIMEOUT: '20s',
    });
    expect(parse(central?.config ?? '')).toMatchObject({
      maxReceiveBytes: 16_777_216,
      ownedHeaders: ['x-user', 'x-roles'],
    });
  });

  describe('for helm test', () => {
    /** The command of the test's pod, asked of another address. */
    const testCommand = async (use: ChartUse, address: string): Promise<readonly string[]> => {
      const args = textsAt(pick(await renderChart(cluster, use), 'Pod', 'portcullis-test'), 'spec.containers.0.args');
      return args.map((arg) => arg.replace(/^--address=.*/u, `--address=${address}`));
    };
    let service: ServeProcess;

    beforeAll(async () => {
      await writeFile(join(folder, 'open.yaml'), openPolicy);
      service = await startServe(folder);
      await vi.waitUntil(async () => (await healthOf(service.grpcAddress)) === 'SERVING', { timeout: 6000 });
    });
    afterAll(() => service.close());

    it('asks the Service that the release has', async () => {
      const objects = await renderChart(cluster, { scenario: 'everything' });
      expect(at(pick(objects, 'Service', 'gatekeeper'), 'spec.ports.0.port')).toBe(443);
      const args = textsAt(pick(objects, 'Pod', 'gatekeeper-test'), 'spec.containers.0.args');
      expect(args).toEqual([
        'check',
        '--address=gatekeeper.portcullis.svc:443',
        '--expect=deny',
        'https://api.example.com/',
      ]);
    });

    it('passes with a service that has no policy for it, and with one that allows', async () => {
      const plain = await runCli(await testCommand({}, service.grpcAddress));
      expect([plain.code, plain.output]).toEqual([0, expect.stringContaining('DENIED 403 no_policy')]);
      const open = await runCli(await testCommand({ set: ['tests.url=http://open.example/'] }, service.grpcAddress));
      expect([open.code, open.output]).toEqual([0, expect.stringContaining('ALLOWED')]);
    });

    it('fails where another answer was asked for, where the service is not ready, and where there is none', async () => {
      const other = await runCli(await testCommand({ set: ['tests.expect=allow'] }, service.grpcAddress));
      expect(other.code).toBe(1);
      const nobody = await runCli(await testCommand({}, '127.0.0.1:1'));
      expect(nobody.code).toBe(3);
      const broken = await runCli(
        await testCommand({ set: ['tests.url=http://broken.example/'] }, service.grpcAddress),
      );
      expect([broken.code, broken.output]).toEqual([1, expect.stringContaining('DENIED 503')]);
    });

    it('believes the certificate that Helm made, and no other', async () => {
      const use: ChartUse = { set: ['tls.mode=selfSigned', 'tls.extraDnsNames={localhost}'] };
      const secretOf = async () =>
        at(pick(await renderChart(cluster, use), 'Secret', 'portcullis-tls'), 'data') as JsonObject;
      const [ours, another] = [await secretOf(), await secretOf()];
      const write = async (name: string, data: JsonObject, key: string): Promise<string> => {
        const file = join(folder, name);
        await writeFile(file, Buffer.from(dataAt({ data }, key), 'base64'));
        return file;
      };
      const certificate = await write('tls.pem', ours, 'tls.crt');
      const key = await write('tls.key', ours, 'tls.key');
      const secured = await startServe(folder, ['--tls-certificate', certificate, '--tls-key', key]);
      try {
        const address = `localhost:${secured.grpcAddress.split(':').at(-1)}`;
        const command = await testCommand(use, address);
        const trusting = async (name: string, data: JsonObject): Promise<readonly string[]> => {
          const ca = await write(name, data, 'ca.crt');
          return command.map((arg) => arg.replace('/etc/portcullis/tls/ca.crt', ca));
        };
        await expect.poll(async () => (await runCli(await trusting('ca.pem', ours))).code, { timeout: 10_000 }).toBe(0);
        expect((await runCli(await trusting('other-ca.pem', another))).code).toBe(3);
      } finally {
        await secured.close();
      }
    });
  });
});

const openPolicy = `apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: open, namespace: shop}
spec: {hosts: [open.example], rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Public}]}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: broken, namespace: shop}
spec: {hosts: [broken.example], rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Perhaps}]}
`;
