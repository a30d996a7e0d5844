import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isJsonObject } from '../../../src/core/json.ts';
import { startEchoUpstream } from '../../../src/dev/echo-upstream.ts';
import { startEnvoy } from '../../../src/dev/envoy-process.ts';
import { exchange } from '../../../src/dev/http-exchange.ts';
import { eventually } from '../../support/eventually.ts';
import { chartFolder, type Helm } from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { getText, type ServeProcess } from '../support/serve-process.ts';
import { describeWithEnvoy } from '../support/with-envoy.ts';
import { startPod } from './support/start-pod.ts';
import { waitEstablished } from '../../support/kubernetes/wait-established.ts';

const policy = (access: string): string => `
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: web, namespace: shop}
spec:
  hosts: [localhost]
  rules: [{name: open, matches: [{path: {type: PathPrefix, value: /open}}], access: ${access}}]
`;

/** deploy/envoy/envoy.yaml before this Portcullis and this upstream. */
async function envoyConfig(grpcPort: number, upstreamPort: number): Promise<Parameters<typeof startEnvoy>[1]> {
  const ports: readonly (readonly [number, number])[] = [
    [10_000, 0],
    [9001, grpcPort],
    [8080, upstreamPort],
    [9901, 0],
  ];
  let text = await readFile('deploy/envoy/envoy.yaml', 'utf8');
  for (const [from, to] of ports) text = text.replace(`port_value: ${from}}`, `port_value: ${to}}`);
  const config: unknown = parse(text);
  return isJsonObject(config) ? config : {};
}

describeWithEnvoy('what a user does', (envoyBinary) => {
  describeWithCluster('on a real cluster', () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startCluster();
    });
    afterAll(() => cluster?.stop());

    describe.each<Helm>(['helm3', 'helm4'])('with %s', (helm) => {
      const closers: (() => unknown)[] = [];
      let pod: ServeProcess;
      afterAll(async () => {
        for (const close of closers.splice(0).toReversed()) await close();
      });

      it('installs the chart, applies a policy, waits for it, is answered by it through Envoy, changes it, and uninstalls', async () => {
        await cluster[helm]('install', 'portcullis', chartFolder, '--namespace', 'portcullis', '--create-namespace');
        await waitEstablished(cluster, '--all');
        pod = await startPod(cluster, `portcullis-${helm}`);
        closers.push(() => pod.close());
        await cluster.run('kubectl', ['create', 'namespace', 'shop']);

        await cluster.apply(policy('Public'));
        // A replica that lost its rights before it stopped is counted until its Lease has run out, half a minute.
        const programmed = [
          'wait',
          '--for=condition=Programmed',
          '--timeout=60s',
          'accesspolicy/web',
          '--namespace',
          'shop',
        ];
        await cluster.kubectl(...programmed);

        const upstream = await startEchoUpstream();
        closers.push(() => upstream.close());
        const grpcPort = Number(pod.grpcAddress.split(':').at(-1));
        const envoy = await startEnvoy(envoyBinary, await envoyConfig(grpcPort, upstream.port));
        closers.push(() => envoy.close());
        const status = async (path: string): Promise<number> =>
          (await exchange(envoy.port, { method: 'GET', path, headers: { host: 'localhost' } })).status;
        expect([await status('/open'), await status('/other')]).toEqual([200, 403]);

        await cluster.apply(policy('Denied'));
        await eventually(async () => expect(await status('/open')).toBe(403));
        await cluster.kubectl(...programmed);
        await cluster.apply(policy('Public'));
        await eventually(async () => expect(await status('/open')).toBe(200));

        await cluster[helm]('uninstall', 'portcullis', '--namespace', 'portcullis');
        const crds = await cluster.kubectl('get', 'crd', '--output', 'name');
        expect(crds.trim().split('\n')).toHaveLength(4);
        expect(await cluster.kubectl('get', 'accesspolicies', '--namespace', 'shop', '--output', 'name')).toContain(
          '/web',
        );
        // Its rights are gone; what it has in force goes on being served until it is stopped.
        expect([await status('/open'), (await getText(pod.httpPort, '/readyz')).status]).toEqual([200, 200]);
        pod.signal('SIGTERM');
        expect(await pod.ended).toBe(0);
      }, 120_000);
    });
  });
});
