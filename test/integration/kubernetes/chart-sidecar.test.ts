import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/core/json.ts';
import { at, dataAt, objectsOf, pick, renderChart, textAt, type ChartUse } from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { restrictedNamespaces } from './support/chart-surroundings.ts';

const workload = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      volumes: [{name: mine, emptyDir: {}}]
      initContainers:
      - {name: migrate, image: "web:1", securityContext: &restricted {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}
      containers:
      - {name: web, image: "web:1", securityContext: *restricted}
`;

describeWithCluster('the sidecar of the chart', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.apply(restrictedNamespaces('shop'));
    await cluster.apply(workload);
  });
  afterAll(() => cluster?.stop());

  const mapOf = async (use: ChartUse) => pick(await renderChart(cluster, use), 'ConfigMap', 'portcullis-sidecar');
  /** The workload's pod with the patch on it, as the API server would store it. */
  const patchedPod = async (patch: string) => {
    const flags = ['--namespace=shop', '--warnings-as-errors', '--dry-run=server', '--output=json', '--patch', patch];
    const { code, stdout, stderr } = await cluster.run('kubectl', ['patch', 'deployment', 'web', ...flags]);
    expect([code, stderr]).toEqual([0, '']);
    return at(JSON.parse(stdout), 'spec.template.spec');
  };

  it.each(['sidecar', 'sidecar-loopback'])(
    'of ci/%s-values.yaml is patched into a workload that may still run as "restricted"',
    async (scenario) => {
      const spec = await patchedPod(dataAt(await mapOf({ scenario }), 'patch.yaml'));
      expect(at(spec, 'initContainers.0')).toMatchObject({ name: 'portcullis', restartPolicy: 'Always' });
      expect(at(spec, 'initContainers.1.name')).toBe('migrate');
      expect(at(spec, 'serviceAccountName')).toBe('web');
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop' }, spec };
      const flags = ['--dry-run=server', '--warnings-as-errors', '--filename', '-'];
      const { code, stderr } = await cluster.run('kubectl', ['create', ...flags], { input: JSON.stringify(pod) });
      expect([code, stderr]).toEqual([0, '']);
    },
  );

  it('shares its socket by a volume and a group', async () => {
    const spec = await patchedPod(dataAt(await mapOf({ scenario: 'sidecar' }), 'patch.yaml'));
    expect(at(spec, 'securityContext')).toMatchObject({ fsGroup: 1337, runAsUser: 1000 });
    expect(at(spec, 'volumes')).toEqual([
      { name: 'portcullis-socket', emptyDir: {} },
      { name: 'mine', emptyDir: {} },
    ]);
    expect(at(spec, 'initContainers.0.volumeMounts')).toEqual([
      { name: 'portcullis-socket', mountPath: '/var/run/authz' },
    ]);
    expect(at(spec, 'initContainers.0.args')).toContain('--grpc-address=unix:/var/run/authz/grpc.sock');
  });

  it('on loopback shares nothing', async () => {
    const spec = await patchedPod(dataAt(await mapOf({ scenario: 'sidecar-loopback' }), 'patch.yaml'));
    expect(at(spec, 'securityContext.fsGroup')).toBeUndefined();
    expect(at(spec, 'volumes')).toEqual([{ name: 'mine', emptyDir: {} }]);
    expect(at(spec, 'initContainers.0.args')).toContain('--grpc-address=127.0.0.1:9001');
  });

  it('writes nothing into the cluster, and reads its own namespace', async () => {
    const args = at(objectsOf(dataAt(await mapOf({ scenario: 'sidecar' }), 'container.yaml'))[0], 'args');
    expect(args).toEqual(
      expect.arrayContaining(['--publish-status=false', '--watch-namespace=$(POD_NAMESPACE)', '--cluster-kinds=true']),
    );
  });

  it('loses what was taken out of the values with the next patch, and keeps what others put into the pod', async () => {
    const patch = async (use: ChartUse) => {
      const text = dataAt(await mapOf(use), 'patch.yaml');
      await cluster.kubectl('patch', 'deployment', 'web', '--namespace=shop', '--patch', text);
      const stored = await cluster.kubectl('get', 'deployment', 'web', '--namespace=shop', '--output=json');
      return at(JSON.parse(stored), 'spec.template.spec');
    };
    const namesIn = (list: JsonValue | undefined) =>
      Array.isArray(list) ? list.map((one) => textAt(one, 'name')) : [];
    const more = ['config.shadowAll=true', 'sidecar.resources.limits.cpu=1', 'probes.readiness.timeoutSeconds=7'];
    const before = await patch({ scenario: 'sidecar', set: more });
    expect(namesIn(at(before, 'initContainers.0.env'))).toContain('PORTCULLIS_SHADOW_ALL');
    expect(at(before, 'initContainers.0.resources.limits.cpu')).toBe('1');
    expect(at(before, 'initContainers.0.readinessProbe.timeoutSeconds')).toBe(7);

    const after = await patch({ scenario: 'sidecar-loopback' });
    const [container] = objectsOf(dataAt(await mapOf({ scenario: 'sidecar-loopback' }), 'container.yaml'));
    expect(namesIn(at(after, 'initContainers.0.env'))).toEqual(namesIn(at(container, 'env')));
    expect(namesIn(at(after, 'initContainers.0.env'))).not.toContain('PORTCULLIS_SHADOW_ALL');
    expect(at(after, 'initContainers.0.volumeMounts')).toBeUndefined();
    expect(at(after, 'initContainers.0.resources')).toEqual(at(container, 'resources'));
    expect(at(after, 'initContainers.0.securityContext')).toEqual(at(container, 'securityContext'));
    expect(at(after, 'initContainers.0.readinessProbe.timeoutSeconds')).not.toBe(7);
    expect(namesIn(at(after, 'initContainers'))).toEqual(['portcullis', 'migrate']);
    expect(namesIn(at(after, 'containers'))).toEqual(['web']);
  });

  it('is the same in the patch as by itself', async () => {
    const map = await mapOf({ scenario: 'sidecar' });
    const [patch] = objectsOf(dataAt(map, 'patch.yaml'));
    const [container] = objectsOf(dataAt(map, 'container.yaml'));
    expect(at(patch, 'spec.template.spec.initContainers')).toEqual([
      { name: 'portcullis', $patch: 'delete' },
      container,
    ]);
  });

  it("of a workload in the release's own namespace reads no more of it than what is named", async () => {
    const account = ['sidecar.serviceAccounts[0].namespace=portcullis', 'sidecar.serviceAccounts[0].name=web'];
    const rulesOf = async (...set: readonly string[]) => {
      const all = ['sidecar.enabled=true', ...account, 'sidecar.secrets.enabled=true', ...set];
      const role = pick(await renderChart(cluster, { set: all }), 'Role', 'portcullis-sidecar');
      return at(role, 'rules');
    };
    const verbs = ['get', 'list', 'watch'];
    const policies = { apiGroups: ['portcullis.dev'], resources: ['accesspolicies', 'identityproviders'], verbs };
    expect(await rulesOf()).toEqual([policies]);
    expect(await rulesOf('sidecar.secrets.names={keys}')).toEqual([
      policies,
      { apiGroups: [''], resources: ['secrets'], verbs, resourceNames: ['keys'] },
    ]);
  });
});
