import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, dataAt, objectsOf, textAt, textsAt } from '../../../support/kubernetes/chart.ts';
import type { Cluster } from '../../../support/kubernetes/cluster.ts';
import { startServe, type ServeProcess } from '../../support/serve-process.ts';

/**
 * What a kubelet would do for the installed chart: the Deployment's command and arguments on free ports, with the file of its ConfigMap and
 * the token of its service account, and nothing more.
 */
export async function startPod(cluster: Cluster, name = 'portcullis-abc-1'): Promise<ServeProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-pod-'));
  const get = async (...what: readonly string[]) =>
    JSON.parse(await cluster.kubectl('get', ...what, '--namespace', 'portcullis', '--output', 'json'));
  const config = join(folder, 'config.yaml');
  await writeFile(config, dataAt(await get('configmap', 'portcullis'), 'config.yaml'));
  const spec = at(await get('deployment', 'portcullis'), 'spec.template.spec');
  const [, ...args] = textsAt(spec, 'containers.0.args');
  const own = args
    .filter((arg) => !/^--(grpc|http|admin)-address=/u.test(arg))
    .map((arg) =>
      arg
        .replace('$(POD_NAME)', name)
        .replace('$(POD_NAMESPACE)', 'portcullis')
        .replace(/^--config=.*/u, `--config=${config}`),
    );
  const token = await cluster.serviceAccountToken({
    namespace: 'portcullis',
    name: textAt(spec, 'serviceAccountName'),
  });
  const kubeconfig = await cluster.writeKubeconfig(name, token);
  const service = await startServe(undefined, [...own, '--kubeconfig', kubeconfig]);
  return {
    ...service,
    close: async () => {
      await service.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * What a kubelet would do for the chart's sidecar in a pod of the account: its arguments on free ports, with the token of the account, and
 * nothing more.
 */
export async function startSidecar(
  cluster: Cluster,
  account: { readonly namespace: string; readonly name: string },
): Promise<ServeProcess> {
  const map = await cluster.kubectl('get', 'configmap', 'portcullis-sidecar', '-n', 'portcullis', '--output', 'json');
  const [container] = objectsOf(dataAt(JSON.parse(map), 'container.yaml'));
  const [, ...args] = textsAt(container, 'args');
  const pod = `${account.name}-1`;
  const own = args
    .filter((arg) => !/^--(grpc|http|admin)-address=/u.test(arg))
    .map((arg) => arg.replace('$(POD_NAME)', pod).replace('$(POD_NAMESPACE)', account.namespace));
  const kubeconfig = await cluster.writeKubeconfig(pod, await cluster.serviceAccountToken(account));
  return startServe(undefined, [...own, '--kubeconfig', kubeconfig]);
}
