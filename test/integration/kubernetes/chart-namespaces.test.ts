import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chartFlags, chartFolder, helms, templateChart, type ChartUse } from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import type { ToolRun } from '../../support/kubernetes/run-tool.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';

const account = 'system:serviceaccount:portcullis:portcullis';

describeWithCluster('a namespace that the values name and that does not exist', () => {
  describe.each(helms)('with %s', (helm) => {
    let cluster: Cluster;

    beforeAll(async () => {
      cluster = await startCluster();
      for (const namespace of ['portcullis', 'shop', 'pay']) await cluster.kubectl('create', 'namespace', namespace);
      await cluster[helm]('install', 'portcullis', chartFolder, '--namespace', 'portcullis');
    });
    afterAll(() => cluster?.stop());

    const upgrade = (use: ChartUse, ...flags: readonly string[]): Promise<ToolRun> =>
      cluster.run(helm, ['upgrade', 'portcullis', chartFolder, ...chartFlags(use), ...flags]);
    const mayRead = async (namespace: string): Promise<boolean> => {
      const question = ['auth', 'can-i', 'list', 'accesspolicies.portcullis.dev', '--namespace', namespace];
      return (await cluster.run('kubectl', [...question, '--as', account])).stdout.trim() === 'yes';
    };
    const revisions = async (): Promise<number> =>
      JSON.parse(await cluster[helm]('history', 'portcullis', '--namespace', 'portcullis', '--output', 'json')).length;

    it.each<[readonly string[], string]>([
      [['watchNamespaces={shop,nope}'], 'watchNamespaces[1]: there is no namespace nope'],
      [
        ['sidecar.enabled=true', 'sidecar.serviceAccounts[0].namespace=nope', 'sidecar.serviceAccounts[0].name=web'],
        'sidecar.serviceAccounts[0].namespace: there is no namespace nope',
      ],
      [
        ['metrics.prometheusRule.enabled=true', 'metrics.prometheusRule.namespace=nope'],
        'metrics.prometheusRule.namespace: there is no namespace nope',
      ],
    ])('%j is refused before anything is changed', async (set, why) => {
      expect(await upgrade({ set })).toMatchObject({ code: 1, stderr: expect.stringContaining(why) });
      expect([await revisions(), await mayRead('shop'), await mayRead('pay')]).toEqual([1, true, true]);
    });

    it('is no matter to `helm template`, which sees no cluster', async () => {
      expect(await templateChart(cluster, helm, { set: ['watchNamespaces={shop,nope}'] })).toMatchObject({ code: 0 });
    });

    it('may be one that the release makes', async () => {
      const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: "{{ .Release.Name }}-made"}\n';
      const values = JSON.stringify({ watchNamespaces: ['shop', 'portcullis-made'], extraObjects: [namespace] });
      const args = ['upgrade', 'portcullis', chartFolder, '--namespace', 'portcullis', '--values', '-'];
      expect(await cluster.run(helm, args, { input: values })).toMatchObject({ code: 0 });
      expect([await mayRead('shop'), await mayRead('portcullis-made'), await mayRead('pay')]).toEqual([
        true,
        true,
        false,
      ]);
      const back = ['watchNamespaces=null', 'extraObjects=null'];
      expect(await upgrade({ set: back }, '--reset-values')).toMatchObject({ code: 0 });
      expect(await mayRead('pay')).toBe(true);
    });

    it('leaves the rights that there were, where it is there and takes nothing any more', async () => {
      // Without a controller manager it stays in this state.
      await cluster.kubectl('create', 'namespace', 'doomed');
      await cluster.kubectl('delete', 'namespace', 'doomed', '--wait=false');
      expect(await upgrade({ set: ['watchNamespaces={shop,doomed}'] })).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('being terminated'),
      });
      expect([await mayRead('shop'), await mayRead('pay')]).toEqual([true, true]);
      expect(await upgrade({ set: ['watchNamespaces=null'] }, '--reset-values')).toMatchObject({ code: 0 });
    });

    it('leaves the rights that there were, where nobody asked and the upgrade fails in its middle', async () => {
      // Whoever installs without rights on the cluster may not read namespaces either.
      const set = ['rbac.scope=namespaced', 'crds.enabled=false', 'watchNamespaces={shop,nope}'];
      expect(await upgrade({ set })).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('namespaces "nope" not found'),
      });
      expect([await mayRead('shop'), await mayRead('pay')]).toEqual([true, true]);
      const args = 'jsonpath={.spec.template.spec.containers[0].args}';
      const deployment = ['get', 'deployment', 'portcullis', '--namespace', 'portcullis', '--output', args];
      expect(await cluster.kubectl(...deployment)).not.toContain('nope');
    });
  });
});
