import { chmod, copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkOf, createCheckClient, encodeCheck } from '../../support/check-over-grpc.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { createImageFolder, type ImageFolder } from '../support/as-image.ts';
import { lineWith } from '../support/line-with.ts';
import { waitEstablished } from '../../support/kubernetes/wait-established.ts';

const policy = `
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: open, namespace: default}
spec:
  hosts: [shop.example]
  rules: [{name: open, matches: [{path: {type: PathPrefix, value: /open}}], access: Public}]`;

describeWithCluster('the bundle before a real API server', () => {
  let cluster: Cluster;
  let image: ImageFolder;
  let folder: string;
  beforeAll(async () => {
    [cluster, image] = await Promise.all([startCluster(), createImageFolder()]);
    await cluster.kubectl('create', '--filename', 'deploy/crds.yaml');
    await waitEstablished(cluster, '--filename', 'deploy/crds.yaml');
    await cluster.apply(policy);
    // Where the image's user can read it.
    folder = await mkdtemp(join(tmpdir(), 'portcullis-kubeconfig-'));
    await chmod(folder, 0o755);
    await copyFile(cluster.kubeconfigPath('admin'), join(folder, 'kubeconfig'));
    await chmod(join(folder, 'kubeconfig'), 0o644);
  });
  afterAll(async () => {
    await image?.close();
    await cluster?.stop();
    await rm(folder, { recursive: true });
  });

  it('decides by a policy of the cluster, and writes its status', async () => {
    const before = await image.digest();
    const ports = ['--grpc-address', '--http-address', '--admin-address'].flatMap((flag) => [flag, '127.0.0.1:0']);
    const service = image.start([
      'serve',
      '--kubeconfig',
      join(folder, 'kubeconfig'),
      '--pod-name',
      'bundle',
      '--namespace',
      'default',
      '--shutdown-delay',
      '0s',
      ...ports,
    ]);
    try {
      const { grpcAddress } = await lineWith(service, 'serving');
      await lineWith(service, 'ready');
      const client = createCheckClient(String(grpcAddress));
      const ask = async (path: string): Promise<number | undefined> => {
        const request = { method: 'GET', host: 'shop.example', path, headers: [], clientIp: undefined };
        return (await client.send(encodeCheck(checkOf(request, undefined, 'joined')))).status?.code;
      };
      expect([await ask('/open'), await ask('/other')]).toEqual([0, 7]);
      client.close();
      await cluster.kubectl(
        'wait',
        '--for=condition=Programmed',
        'accesspolicies.portcullis.dev/open',
        '--timeout=60s',
      );
      const memory = /VmRSS:\s+(\d+)/u.exec(await readFile(`/proc/${service.pid}/status`, 'utf8'))?.[1];
      // About 116 MB from the bundle where it is 185 to 200 from packages; a bundle that loads everything would show here.
      expect(Number(memory)).toBeLessThan(160_000);
      service.signal('SIGTERM');
      expect(await service.ended).toBe(0);
    } finally {
      service.signal('SIGKILL');
    }
    expect(await image.digest()).toEqual(before);
  });
});
