import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, chartFlags, chartFolder, helms, type ChartUse, type Helm } from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import type { ToolRun } from '../../support/kubernetes/run-tool.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { waitEstablished } from '../../support/kubernetes/wait-established.ts';

const earlierChart = fileURLToPath(new URL('support/earlier-chart', import.meta.url));

const crds = ['accesspolicies', 'clusteraccesspolicies', 'clusteridentityproviders', 'identityproviders'].map(
  (plural) => `${plural}.portcullis.dev`,
);

/** By the schema of the earlier chart as well as by the present one. */
const documents = `apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec: {type: JWT, jwt: {issuer: "https://idp.example.com", audiences: [orders]}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  hosts: [api.example.com]
  authentication: {providers: [{name: idp}]}
  rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}]
`;

describeWithCluster('the life of a release of the chart', () => {
  describe.each(helms)('with %s', (helm: Helm) => {
    let cluster: Cluster;

    beforeAll(async () => {
      cluster = await startCluster();
      for (const namespace of ['portcullis', 'shop']) await cluster.kubectl('create', 'namespace', namespace);
    });
    afterAll(() => cluster?.stop());

    const change = (verb: 'install' | 'upgrade', use: ChartUse = {}, ...flags: readonly string[]): Promise<ToolRun> =>
      cluster.run(helm, [verb, use.release ?? 'portcullis', chartFolder, ...chartFlags(use), ...flags]);
    const ok = { code: 0, stderr: expect.not.stringMatching(/error/iu) };

    const get = async (...what: readonly string[]) =>
      JSON.parse(await cluster.kubectl('get', ...what, '--output', 'json'));
    const namesOf = async (...what: readonly string[]): Promise<readonly string[]> =>
      (await cluster.kubectl('get', ...what, '--output', 'name'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.slice(line.indexOf('/') + 1))
        .toSorted();
    /** What of the release there is, of the kinds that nobody else makes in the namespace. */
    const objects = (): Promise<readonly string[]> =>
      namesOf(
        'deployments,services,poddisruptionbudgets,roles,rolebindings,secrets',
        '--namespace',
        'portcullis',
        '--selector',
        'app.kubernetes.io/managed-by=Helm',
      );
    const ourCrds = async (): Promise<readonly string[]> =>
      (await namesOf('crds')).filter((name) => name.endsWith('.portcullis.dev'));
    const policies = (): Promise<readonly string[]> =>
      namesOf('accesspolicies,identityproviders', '--namespace', 'shop');

    it('the earlier chart is installed, and policies are there', async () => {
      await cluster[helm]('install', 'portcullis', earlierChart, '--namespace', 'portcullis');
      await waitEstablished(cluster, '--all');
      await cluster.apply(documents);
      expect(await ourCrds()).toEqual(['accesspolicies.portcullis.dev', 'identityproviders.portcullis.dev']);
    });

    it('an upgrade brings the new CRDs and the new pods, and keeps the policies', async () => {
      const before = await get('accesspolicy', 'orders', '--namespace', 'shop');
      const selector = at(await get('deployment', 'portcullis', '--namespace', 'portcullis'), 'spec.selector');
      expect(await change('upgrade')).toMatchObject(ok);
      expect(await ourCrds()).toEqual(crds);
      const crd = await get('crd', 'accesspolicies.portcullis.dev');
      expect(at(crd, 'spec.versions.0.subresources')).toEqual({ status: {} });
      expect(at(crd, 'metadata.annotations')).toMatchObject({ 'helm.sh/resource-policy': 'keep' });
      const deployment = await get('deployment', 'portcullis', '--namespace', 'portcullis');
      expect(at(deployment, 'spec.selector')).toEqual(selector);
      expect(at(deployment, 'spec.template.spec.containers.0.image')).toBe('portcullis/portcullis:0.1.0');
      const after = await get('accesspolicy', 'orders', '--namespace', 'shop');
      expect(at(after, 'metadata.uid')).toBe(at(before, 'metadata.uid'));
      // Defaults of the new schema may come on top.
      expect(after.spec).toMatchObject(before.spec);
    });

    it('an upgrade to the same changes nothing', async () => {
      const before = await get('deployment', 'portcullis', '--namespace', 'portcullis');
      expect(await change('upgrade')).toMatchObject(ok);
      const after = await get('deployment', 'portcullis', '--namespace', 'portcullis');
      expect(at(after, 'metadata.generation')).toBe(at(before, 'metadata.generation'));
    });

    it('a CRD that was changed by hand is brought back by an upgrade', async () => {
      const patch = '[{"op": "remove", "path": "/spec/versions/0/subresources"}]';
      await cluster.kubectl('patch', 'crd', 'accesspolicies.portcullis.dev', '--type=json', '--patch', patch);
      // Helm 4 applies server-side; a field that another has changed is a conflict that the operator must decide.
      const force = helm === 'helm4' ? ['--force-conflicts'] : [];
      // Something of the CRD itself has to be new: Helm 3 compares with what it applied before, and with what is there.
      expect(await change('upgrade', { set: ['crds.annotations.example\\.com/a=b'] }, ...force)).toMatchObject(ok);
      expect(at(await get('crd', 'accesspolicies.portcullis.dev'), 'spec.versions.0.subresources')).toEqual({
        status: {},
      });
    });

    describe('with a certificate that Helm makes', () => {
      const use: ChartUse = { set: ['tls.mode=selfSigned'] };
      const secret = async () => get('secret', 'portcullis-tls', '--namespace', 'portcullis');

      it('an upgrade keeps it', async () => {
        expect(await change('upgrade', use)).toMatchObject(ok);
        const before = await secret();
        expect(Object.keys(before.data).toSorted()).toEqual(['ca.crt', 'tls.crt', 'tls.key']);
        expect(await change('upgrade', { set: ['tls.mode=selfSigned', 'replicas=3'] })).toMatchObject(ok);
        expect((await secret()).data).toEqual(before.data);
      });

      it('an upgrade with another name for it makes a new one', async () => {
        const before = await secret();
        expect(
          await change('upgrade', { set: ['tls.mode=selfSigned', 'tls.extraDnsNames={authz.example.com}'] }),
        ).toMatchObject(ok);
        expect((await secret()).data).not.toEqual(before.data);
        expect(await change('upgrade', use)).toMatchObject(ok);
      });

      it('an upgrade makes a new one in its last 30 days, and not before', async () => {
        const before = await secret();
        const end = async (days: number) => {
          const seconds = Math.floor(Date.now() / 1000) + days * 86_400;
          const annotation = `portcullis.dev/certificate-ends=${seconds}`;
          await cluster.kubectl(
            'annotate',
            '--overwrite',
            '--namespace',
            'portcullis',
            'secret',
            'portcullis-tls',
            annotation,
          );
          const force = helm === 'helm4' ? ['--force-conflicts'] : [];
          expect(await change('upgrade', use, ...force)).toMatchObject(ok);
        };
        await end(31);
        expect((await secret()).data).toEqual(before.data);
        await end(29);
        expect((await secret()).data).not.toEqual(before.data);
      });

      it('an upgrade to another mode of TLS takes it away', async () => {
        // Without any value Helm would take those of the upgrade before.
        expect(await change('upgrade', { set: ['tls.mode=none'] })).toMatchObject(ok);
        expect(await objects()).not.toContain('portcullis-tls');
      });
    });

    it('an uninstall keeps the CRDs and the policies, and takes everything else', async () => {
      expect(await objects()).toContain('portcullis-leases');
      await cluster[helm]('uninstall', 'portcullis', '--namespace', 'portcullis');
      expect([await objects(), await ourCrds(), await policies()]).toEqual([[], crds, ['idp', 'orders']]);
      expect((await namesOf('clusterroles')).filter((name) => name.startsWith('portcullis'))).toEqual([]);
    });

    it('it is installed again over them', async () => {
      expect(await change('install')).toMatchObject(ok);
      expect(await policies()).toEqual(['idp', 'orders']);
      await cluster[helm]('uninstall', 'portcullis', '--namespace', 'portcullis');
    });

    it('a release of another name takes them over only where it is told to', async () => {
      const other: ChartUse = { release: 'gate', namespace: 'shop' };
      expect(await change('install', other)).toMatchObject({ code: 1, stderr: expect.stringContaining('ownership') });
      expect(await change('install', other, '--take-ownership')).toMatchObject(ok);
      await cluster[helm]('uninstall', 'gate', '--namespace', 'shop');
      expect([await ourCrds(), await policies()]).toEqual([crds, ['idp', 'orders']]);
    });

    it('without crds.keep an uninstall takes the CRDs too, and with crds.enabled=false there were none', async () => {
      expect(await change('install', { set: ['crds.keep=false'] }, '--take-ownership')).toMatchObject(ok);
      await cluster[helm]('uninstall', 'portcullis', '--namespace', 'portcullis');
      await expect.poll(ourCrds, { timeout: 20_000 }).toEqual([]);
      expect(await change('install', { set: ['crds.enabled=false'] })).toMatchObject(ok);
      expect(await ourCrds()).toEqual([]);
      await cluster[helm]('uninstall', 'portcullis', '--namespace', 'portcullis');
    });

    /** Those of another version: fields that are the same are in no conflict. */
    const olderCrds = async (): Promise<string> => {
      const file = join(await mkdtemp(join(tmpdir(), 'portcullis-crds-')), 'crds.yaml');
      const text = await readFile('deploy/crds.yaml', 'utf8');
      await writeFile(file, text.replaceAll('The generation of the spec that', 'The version that'));
      return file;
    };

    it.each([[[]], [['--server-side']]])(
      'older CRDs that kubectl apply %j brought are taken over with the flags of docs/kubernetes.md, and policies stay',
      async (how) => {
        await cluster.kubectl('apply', ...how, '--filename', await olderCrds());
        await waitEstablished(cluster, '--all');
        await cluster.apply(documents);
        const refused = await change('install');
        expect(refused).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('exists and cannot be imported into the current release'),
        });
        const taken = await change('install', {}, '--take-ownership');
        if (helm === 'helm4') {
          expect(taken).toMatchObject({ code: 1, stderr: expect.stringMatching(/conflict with "kubectl/u) });
          await cluster[helm]('uninstall', 'portcullis', '--namespace', 'portcullis');
          expect(await change('install', {}, '--take-ownership', '--force-conflicts')).toMatchObject(ok);
        } else expect(taken).toMatchObject(ok);
        expect(await change('upgrade')).toMatchObject(ok);
        expect([await ourCrds(), await policies()]).toEqual([crds, ['idp', 'orders']]);
        await cluster[helm]('uninstall', 'portcullis', '--namespace', 'portcullis');
        await cluster.kubectl('delete', 'crd', ...crds);
        await expect.poll(ourCrds, { timeout: 20_000 }).toEqual([]);
      },
    );
  });
});
