import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import {
  at,
  chartFolder,
  helms,
  objectsOf,
  renderChart,
  scenarioFile,
  scenarios,
  templateChart,
  textAt,
} from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import type { ToolRun } from '../../support/kubernetes/run-tool.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { otherKinds, restrictedNamespaces } from './support/chart-surroundings.ts';
import { waitEstablished } from '../../support/kubernetes/wait-established.ts';

/** What a kind's `kubectl apply --server-side --dry-run=server` says, where a warning of the API server is a failure. */
function dryRun(cluster: Cluster, input: string): Promise<ToolRun> {
  const flags = ['--server-side', '--dry-run=server', '--warnings-as-errors', '--force-conflicts'];
  return cluster.run('kubectl', ['apply', ...flags, '--filename', '-'], { input });
}

/** The pods that the objects would make, with names of their own. */
function podsOf(objects: readonly JsonObject[]): readonly JsonObject[] {
  return objects.flatMap((object): JsonObject[] => {
    if (object['kind'] === 'Pod') return [object];
    if (object['kind'] !== 'Deployment') return [];
    const metadata = at(object, 'spec.template.metadata');
    const place = { name: 'from-template', namespace: at(object, 'metadata.namespace') ?? 'default' };
    return [
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...(metadata as JsonObject), ...place },
        spec: at(object, 'spec.template.spec') ?? null,
      },
    ];
  });
}

/** Without what is random by its nature. */
function comparable(text: string): string {
  return text
    .replaceAll(/^ {2}(ca\.crt|tls\.crt|tls\.key): .+$/gmu, '  $1: …')
    .replaceAll(/certificate-ends: "\d+"/gu, 'certificate-ends: …');
}

describeWithCluster('the chart', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.apply(otherKinds);
    await cluster.apply(restrictedNamespaces('portcullis', 'team-a', 'team-b', 'shop', 'pay', 'monitoring'));
    await waitEstablished(cluster, '--all');
  });
  afterAll(() => cluster?.stop());

  describe.each(scenarios)('with ci/%s-values.yaml', (scenario) => {
    it('is rendered alike by Helm 3 and Helm 4', async () => {
      const [three, four] = await Promise.all(helms.map((helm) => templateChart(cluster, helm, { scenario })));
      expect([three?.code, three?.stderr]).toEqual([0, '']);
      expect(comparable(four?.stdout ?? '')).toBe(comparable(three?.stdout ?? ''));
    });

    it.each(helms)('has nothing that `lint --strict` of %s finds', async (helm) => {
      const { code, stdout, stderr } = await cluster.run(helm, [
        'lint',
        '--strict',
        chartFolder,
        '--values',
        scenarioFile(scenario),
      ]);
      expect([code, stdout.match(/\[(WARNING|ERROR)\].*/gu), stderr]).toEqual([0, null, '']);
    });

    it('is taken by the API server without a warning', async () => {
      const { stdout } = await templateChart(cluster, 'helm3', { scenario });
      const { code, stderr } = await dryRun(cluster, stdout);
      expect([code, stderr]).toEqual([0, '']);
    });

    it('has pods that may run in a namespace of the pod security standard "restricted"', async () => {
      const { stdout } = await templateChart(cluster, 'helm4', { scenario });
      for (const pod of podsOf(objectsOf(stdout))) {
        const { code, stderr } = await dryRun(cluster, JSON.stringify(pod));
        expect([at(pod, 'metadata.name'), code, stderr]).toEqual([at(pod, 'metadata.name'), 0, '']);
      }
    });

    it('has the conventional labels everywhere, and selectors that no value changes', async () => {
      const objects = await renderChart(cluster, { scenario });
      const extra = new Set(['portcullis-extra', 'portcullis-mesh-config']);
      for (const object of objects.filter((one) => !extra.has(textAt(one, 'metadata.name')))) {
        expect(Object.keys(at(object, 'metadata.labels') ?? {})).toEqual(expect.arrayContaining(conventionalLabels));
      }
      const name = scenario === 'by-others' ? 'gate' : 'portcullis';
      const selector = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/instance': 'portcullis' };
      for (const object of objects) {
        if (object['kind'] === 'Service') expect(at(object, 'spec.selector')).toEqual(selector);
        if (object['kind'] === 'Deployment') expect(at(object, 'spec.selector')).toEqual({ matchLabels: selector });
      }
    });

    it('has no policy and no other custom resource of ours', async () => {
      const objects = await renderChart(cluster, { scenario });
      expect(objects.filter((object) => textAt(object, 'apiVersion').includes('portcullis.dev'))).toEqual([]);
    });
  });

  const conventionalLabels = [
    'helm.sh/chart',
    'app.kubernetes.io/name',
    'app.kubernetes.io/instance',
    'app.kubernetes.io/version',
    'app.kubernetes.io/managed-by',
  ];

  it('has a pod that "restricted" would refuse where its security is weakened (the control of the tests above)', async () => {
    for (const weaker of ['podSecurityContext.runAsNonRoot=false', 'securityContext.allowPrivilegeEscalation=true']) {
      const { stdout } = await templateChart(cluster, 'helm4', { set: [weaker] });
      expect(await dryRun(cluster, stdout)).toMatchObject({ code: 1, stderr: expect.stringContaining('restricted') });
      for (const pod of podsOf(objectsOf(stdout))) {
        expect((await dryRun(cluster, JSON.stringify(pod))).stderr).toContain(
          'violates PodSecurity "restricted:latest"',
        );
      }
    }
  });
});
