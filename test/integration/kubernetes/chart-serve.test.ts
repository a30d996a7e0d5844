import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { chartFlags, chartFolder, type ChartUse, type Helm } from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { healthOf, runCli, type ServeProcess } from '../support/serve-process.ts';
import { startPod } from './support/start-pod.ts';
import { waitEstablished } from '../../support/kubernetes/wait-established.ts';

const keys = JSON.stringify({
  keys: [
    {
      kty: 'EC',
      crv: 'P-256',
      kid: 'one',
      alg: 'ES256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    },
  ],
});

const documents = (namespace: string): string => `apiVersion: v1
kind: ConfigMap
metadata: {name: keys, namespace: ${namespace}}
data: {jwks: '${keys}'}
---
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: ${namespace}}
spec: {type: JWT, jwt: {issuer: "https://idp.example.com", audiences: [orders], jwks: {configMapRef: {name: keys, key: jwks}}}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: ${namespace}}
spec:
  hosts: [${namespace}.example.com]
  authentication: {providers: [{name: idp}]}
  rules:
  - {name: open, matches: [{path: {type: PathPrefix, value: /open}}], access: Public}
  - {name: rest, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}
`;

const floor = `apiVersion: portcullis.dev/v1alpha1
kind: ClusterAccessPolicy
metadata: {name: floor}
spec: {rules: [{name: none, matches: [{path: {type: PathPrefix, value: /open/secret}}], access: Denied}]}
`;

describeWithCluster('serve with the rights and the arguments of the chart', () => {
  let cluster: Cluster;
  let service: ServeProcess | undefined;

  beforeAll(async () => {
    cluster = await startCluster();
    for (const namespace of ['portcullis', 'team-a', 'team-b', 'elsewhere'])
      await cluster.kubectl('create', 'namespace', namespace);
  });
  afterAll(async () => {
    await service?.close();
    await cluster?.stop();
  });

  const check = async (url: string): Promise<string> => {
    const { output } = await runCli(['check', '--address', service?.grpcAddress ?? '', url]);
    return output.split('\n')[0] ?? '';
  };
  const install = async (helm: Helm, use: ChartUse): Promise<void> => {
    await cluster[helm]('install', 'portcullis', chartFolder, ...chartFlags(use));
    await waitEstablished(cluster, '--all');
    for (const namespace of ['team-a', 'elsewhere']) await cluster.apply(documents(namespace));
    await cluster.apply(floor);
    service = await startPod(cluster);
    await vi.waitUntil(async () => (await healthOf(service?.grpcAddress ?? '')) === 'SERVING', { timeout: 20_000 });
  };
  /** Lines of the log that tell of trouble. */
  const troubles = (): readonly unknown[] =>
    (service?.lines() ?? [])
      .filter(({ level }) => level !== 'info' && level !== 30)
      .map(({ msg, error }) => [msg, error]);

  describe.each<[Helm, ChartUse]>([
    ['helm3', {}],
    ['helm4', { set: ['watchNamespaces={team-a,team-b}'] }],
  ])('installed by %s with %j', (helm, use) => {
    beforeAll(() => install(helm, use));
    afterAll(async () => {
      await service?.close();
      await cluster.kubectl(
        'delete',
        'accesspolicies,identityproviders,clusteraccesspolicies',
        '--all',
        '--all-namespaces',
      );
      await cluster[helm]('uninstall', 'portcullis', '--namespace', 'portcullis');
    });

    it('decides by the policies of the cluster, and by the floor', async () => {
      expect(await check('http://team-a.example.com/open')).toBe('ALLOWED');
      expect(await check('http://team-a.example.com/orders')).toBe('DENIED 401 credential_missing');
      expect(await check('http://team-a.example.com/open/secret')).toMatch(/^DENIED 403 /u);
      const watched = use.set === undefined;
      expect(await check('http://elsewhere.example.com/open')).toBe(watched ? 'ALLOWED' : 'DENIED 403 no_policy');
    });

    it('says so in status, and lacks no right for it', async () => {
      const wait = ['--for=condition=Programmed', '--timeout=30s'];
      await cluster.kubectl('wait', ...wait, 'accesspolicy/orders', '--namespace', 'team-a');
      await cluster.kubectl('wait', ...wait, 'clusteraccesspolicy/floor');
      expect(troubles()).toEqual([]);
    });

    it('follows a change', async () => {
      const patch = '[{"op": "replace", "path": "/spec/rules/0/access", "value": "Denied"}]';
      const what = ['accesspolicy', 'orders', '--namespace', 'team-a'];
      await cluster.kubectl('patch', ...what, '--type=json', '--patch', patch);
      await expect.poll(() => check('http://team-a.example.com/open'), { timeout: 10_000 }).toMatch(/^DENIED 403 /u);
    });
  });

  describe('installed without a right that its policies need', () => {
    beforeAll(() => install('helm4', { set: ['rbac.configMaps.enabled=false', 'config.keyLoadTimeout=1s'] }));
    afterAll(async () => {
      await service?.close();
      await cluster.helm4('uninstall', 'portcullis', '--namespace', 'portcullis');
    });

    it('serves what does not need it, and names the right in its log (the control of the tests beside)', async () => {
      expect(await check('http://team-a.example.com/open')).toBe('ALLOWED');
      expect(JSON.stringify(troubles())).toContain('configmaps');
    });
  });

  describe('installed with rbac.scope namespaced', () => {
    beforeAll(() => install('helm4', { set: ['rbac.scope=namespaced', 'watchNamespaces={team-a}'] }));
    afterAll(() => service?.close());

    it('decides by the namespaces that it reads, without the floor, and lacks no right', async () => {
      expect(await check('http://team-a.example.com/open')).toBe('ALLOWED');
      expect(await check('http://team-a.example.com/open/secret')).toBe('ALLOWED');
      expect(await check('http://elsewhere.example.com/open')).toBe('DENIED 403 no_policy');
      const wait = ['--for=condition=Programmed', '--timeout=30s'];
      await cluster.kubectl('wait', ...wait, 'accesspolicy/orders', '--namespace', 'team-a');
      expect(troubles()).toEqual([]);
    });
  });
});
