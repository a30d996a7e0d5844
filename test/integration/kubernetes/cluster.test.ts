import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const chart = {
  'Chart.yaml': 'apiVersion: v2\nname: tiny\nversion: 0.1.0\nkubeVersion: ">=1.36.0-0"\n',
  'values.yaml': 'greeting: hello\n',
  'templates/greeting.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-greeting}
data: {greeting: {{ .Values.greeting }}}
`,
};

async function writeChart(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-chart-'));
  await mkdir(join(folder, 'templates'));
  for (const [name, text] of Object.entries(chart)) await writeFile(join(folder, name), text);
  return folder;
}

/** Whether somebody listens there. */
function knock(address: NetConnectOpts): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(address, () => {
      socket.destroy();
      resolve('open');
    });
    socket.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  });
}

describeWithCluster('a cluster', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  const names = async (): Promise<readonly string[]> =>
    (await cluster.kubectl('get', 'configmaps', '--output', 'name')).split('\n').filter((line) => line !== '');

  it('has the version that Helm and the tests expect', async () => {
    const answer = await cluster.request({ method: 'GET', path: '/version' });
    expect(answer).toMatchObject({
      status: 200,
      body: { major: '1', minor: '36', gitVersion: expect.stringMatching(/^v1\.36\.\d+$/u) },
    });
  });

  it('lets the admin read and denies everybody else', async () => {
    const read = (token?: string) => cluster.request({ method: 'GET', path: configMaps, token });
    expect([
      (await read()).status,
      (await read(cluster.token('nobody'))).status,
      (await read('somebody-made-up')).status,
    ]).toEqual([200, 403, 401]);
  });

  it('gives a service account what its role says and no more', async () => {
    await cluster.apply(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: default}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: default}]
`);
    const token = await cluster.serviceAccountToken({ namespace: 'default', name: 'reader' });
    const kubeconfig = await cluster.writeKubeconfig('reader', token);
    const allowed = await cluster.run('kubectl', ['get', 'configmaps'], { kubeconfig });
    const denied = await cluster.run('kubectl', ['get', 'secrets'], { kubeconfig });
    expect([allowed.code, denied.code, denied.stderr]).toEqual([
      0,
      1,
      expect.stringMatching(/"system:serviceaccount:default:reader" cannot list resource "secrets"/u),
    ]);
    await expect(cluster.serviceAccountToken({ namespace: 'default', name: 'nobody' })).rejects.toThrow(
      'no token for default/nobody: the answer is 404',
    );
  });

  describe.each(['helm3', 'helm4'] as const)('with %s', (helm) => {
    it('installs a chart, upgrades it and takes it away', async () => {
      const folder = await writeChart();
      const greeting = () =>
        cluster.kubectl('get', 'configmap', `${helm}-greeting`, '--output', 'jsonpath={.data.greeting}');
      try {
        await cluster[helm]('install', helm, folder);
        const first = await greeting();
        await cluster[helm]('upgrade', helm, folder, '--set', 'greeting=bye');
        const second = await greeting();
        await cluster[helm]('uninstall', helm);
        expect([first, second, await names()]).toEqual(['hello', 'bye', []]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });

    it('is denied without the right', async () => {
      const folder = await writeChart();
      const kubeconfig = cluster.kubeconfigPath('nobody');
      try {
        const run = await cluster.run(helm, ['install', 'denied', folder], { kubeconfig });
        expect([run.code, run.stderr, await names()]).toEqual([1, expect.stringMatching(/is forbidden/u), []]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  });

  it('says what a tool said where it fails', async () => {
    await expect(cluster.kubectl('get', 'nonsense')).rejects.toThrow(
      /^kubectl get nonsense ended with 1: error: the server doesn't have a resource type "nonsense"$/u,
    );
  });

  it('keeps its data, its address and its tokens when the API server is killed and started again', async () => {
    await cluster.kubectl('create', 'configmap', 'kept', '--from-literal=a=b');
    await cluster.killApiServer();
    await expect(cluster.request({ method: 'GET', path: configMaps })).rejects.toThrow('ECONNREFUSED');
    await cluster.restartApiServer();
    expect(await names()).toEqual(['configmap/kept']);
  });

  it('is silent while it is paused, and goes on', async () => {
    cluster.pauseApiServer();
    const answer = cluster.request({ method: 'GET', path: '/readyz' });
    expect(await Promise.race([answer, delay(300, 'silent')])).toBe('silent');
    cluster.resumeApiServer();
    expect(await answer).toEqual({ status: 200, body: 'ok' });
  });
});

describeWithCluster('a cluster of its own', () => {
  it('that does not start says why, with the log, and leaves no process', async () => {
    const start = startCluster({ apiServerFlags: ['--authorization-mode=Nonsense'] });
    const error = await start.then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(String(error?.cause)).toMatch(/^Error: kube-apiserver does not start: exit code 1\n[^]*Nonsense/u);
    const folder = /^The logs are in (\S+)\.\n/u.exec(error?.message ?? '')?.[1] ?? '';
    const logs = ['kube-apiserver.log', 'etcd.log'].map((name) => existsSync(join(folder, name)));
    expect([logs, await knock({ path: join(folder, 'localhost:2379') })]).toEqual([[true, true], 'ECONNREFUSED']);
    await rm(folder, { recursive: true });
  });

  it.runIf(process.platform === 'linux')(
    'ends with a process that is killed, and what it left is removed by the next',
    async () => {
      const script = `
      const { startCluster } = await import('./test/support/kubernetes/start-cluster.ts');
      const { port, folder } = await startCluster();
      console.log(JSON.stringify({ port, folder }));
      setInterval(() => {}, 1000);`;
      const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const line = await new Promise<string>((resolve) => {
        child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      });
      const { port, folder }: { port: number; folder: string } = JSON.parse(line);
      const doors = () =>
        Promise.all([knock({ host: '127.0.0.1', port }), knock({ path: join(folder, 'localhost:2379') })]);
      const before = await doors();
      child.kill('SIGKILL');
      await expect.poll(doors, { timeout: 5000 }).toEqual(['ECONNREFUSED', 'ECONNREFUSED']);
      expect(before).toEqual(['open', 'open']);
      const next = await startCluster();
      await next.stop();
      expect([existsSync(folder), existsSync(next.folder)]).toEqual([false, false]);
    },
  );
});
