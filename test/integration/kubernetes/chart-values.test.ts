import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLabelSelector } from '../../../src/std/label-selector.ts';
import {
  chartFlags,
  chartFolder,
  helms,
  objectsOf,
  templateChart,
  textsAt,
  type ChartUse,
} from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';

describeWithCluster('the values of the chart', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  describe.each(helms)('asked by %s', (helm) => {
    it.each([
      ['tls.mod=none', 'tls', 'mod'],
      ['config.logLevl=info', 'config', 'logLevl'],
      ['config.hostGrant.shop={a}', 'config', 'hostGrant'],
      ['rbac.secret.enabled=true', 'rbac', 'secret'],
      ['podSecurityContext.runAsNonroot=true', 'podSecurityContext', 'runAsNonroot'],
      ['networkPolicy.ingress.grpcForm={}', 'networkPolicy.ingress', 'grpcForm'],
      ['probes.readiness.httpGet.path=/', 'probes.readiness', 'httpGet'],
      ['replicaCount=3', '', 'replicaCount'],
    ])('it refuses the value %s, which it does not know, by its path', async (typo, place, key) => {
      const { code, stderr } = await templateChart(cluster, helm, { set: [typo] });
      expect([code, stderr]).toEqual([1, expect.stringContaining(key)]);
      const path =
        helm === 'helm3'
          ? `- ${place === '' ? '(root)' : place}:`
          : `- at '${place === '' ? '' : `/${place.replaceAll('.', '/')}`}':`;
      expect(stderr).toContain(path);
    });

    it.each([
      ['replicas=two', 'replicas'],
      ['tls.mode=selfsigned', 'tls'],
      ['config.shutdownDelay=5', 'shutdownDelay'],
      ['config.shutdownDelay=5 s', 'shutdownDelay'],
      ['rbac.scope=Namespaced', 'scope'],
      ['image.digest=latest', 'digest'],
      ['watchNamespaces={Team_A}', 'watchNamespaces'],
      ['service.port=0', 'port'],
      ['config.hostGrants.shop={a.example.com,https://b.example.com}', 'shop'],
      ['config.hostGrants.Shop={a.example.com}', 'Shop'],
      ['metrics.podMonitor.namespace=a/b', 'namespace'],
    ])('it refuses the value %s, which is none of its kind', async (wrong, key) => {
      expect(await templateChart(cluster, helm, { set: [wrong] })).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(key),
      });
    });

    it.each<[readonly string[], string]>([
      [['tls.mode=existingSecret'], 'tls.existingSecret: tls.mode existingSecret needs the name of the Secret'],
      [['tls.existingSecret=cert'], 'tls.existingSecret: it is not used with tls.mode none'],
      [['tls.mode=certManager'], 'tls.certManager.issuerRef.name: tls.mode certManager needs the name of an issuer'],
      [
        ['tls.clientCertificates.required=true'],
        'tls.clientCertificates.required: without TLS nobody shows a certificate',
      ],
      [
        ['tls.mode=selfSigned', 'tls.clientCertificates.required=true'],
        'tls.clientCertificates.caSecret: the CA of tls.mode selfSigned issues no',
      ],
      [
        ['metrics.podMonitor.enabled=true', 'metrics.serviceMonitor.enabled=true'],
        'metrics.podMonitor.enabled: a ServiceMonitor and a PodMonitor',
      ],
      [
        ['config.watchNamespaces={shop}'],
        'config.watchNamespaces: the chart sets it by a value of its own: watchNamespaces, beside config',
      ],
      [['config.grpcAddress=0.0.0.0:1'], 'config.grpcAddress: the chart sets it by a value of its own: listenHost'],
      [['config.podName=a'], 'config.podName: the chart sets it itself; leave it out'],
      [['rbac.scope=namespaced', 'rbac.reviews=true'], 'rbac.reviews: reviews are of the whole cluster'],
      [
        ['rbac.scope=namespaced', 'sidecar.enabled=true', 'sidecar.reviews=true'],
        'sidecar.reviews: reviews are of the whole cluster',
      ],
      [['policySelector=a=b=c'], 'policySelector: "a=b=c" is no label selector; write team=shop, tier in (a,b)'],
      [
        ['terminationGracePeriodSeconds=28'],
        'terminationGracePeriodSeconds: 28 is too short; preStopSleepSeconds, config.shutdownDelay and config.shutdownTimeout need 29',
      ],
    ])('it refuses %j, which contradict each other', async (set, why) => {
      expect(await templateChart(cluster, helm, { set })).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(why),
      });
    });

    const notesOf = async (use: ChartUse): Promise<string> => {
      const flags = ['--dry-run=client', ...chartFlags(use)];
      const { code, stdout, stderr } = await cluster.run(helm, ['install', 'portcullis', chartFolder, ...flags]);
      expect([code, stderr]).toEqual([0, expect.not.stringContaining('rror')]);
      return stdout.slice(stdout.indexOf('\nNOTES:\n'));
    };
    const warningsOf = async (use: ChartUse): Promise<readonly string[]> =>
      [...(await notesOf(use)).matchAll(/^WARNING: (.+)$/gmu)].map(([, text = '']) => text);

    const safe = [
      'tls.mode=existingSecret',
      'tls.existingSecret=server',
      'tls.clientCertificates.required=true',
      'tests.clientCertificateSecret=proxy',
      'config.hostGrants.shop={*.example.com}',
      'image.registry=registry.example.com',
    ];

    it('it warns of nothing where nothing is unsafe', async () => {
      expect(await warningsOf({ set: safe })).toEqual([]);
    });

    it.each([
      ['replicas=1', 'replicas: 1: while its one pod is away'],
      ['podDisruptionBudget.enabled=false', 'podDisruptionBudget.enabled: false'],
      ['strategy.rollingUpdate.maxUnavailable=1', 'strategy: an upgrade takes replicas away'],
      ['config.allowPrivateAddresses=true', 'config.allowPrivateAddresses: whoever writes'],
      ['config.shadowAll=true', 'config.shadowAll: EVERY REQUEST IS ALLOWED'],
      ['adminAddress=0.0.0.0:9003', 'adminAddress: 0.0.0.0:9003: the admin page has no authentication'],
      [
        'rbac.scope=namespaced',
        "rbac.scope: namespaced: ClusterAccessPolicies are not read, so the platform's floor DOES NOT HOLD",
      ],
      [
        'rbac.secrets.enabled=true',
        'rbac.secrets.enabled without names: the service account reads every Secret of the cluster. Name them in rbac.secrets.names where providers refer to Secrets by name; providers of type APIKey and SharedSecretJWT list them',
      ],
      [
        'crds.keep=false',
        'crds.keep: false: `helm uninstall` deletes the CRDs, and with them every policy of the cluster. So does an upgrade to crds.enabled: false',
      ],
      ['securityContext.readOnlyRootFilesystem=false', 'podSecurityContext or securityContext: weaker'],
      ['image.tag=latest', 'image.tag: latest'],
      ['image.registry=', 'image: portcullis/portcullis:0.1.0 names no registry and no digest'],
      ['service.type=LoadBalancer', 'service.type: LoadBalancer: the gRPC port can be reached from outside'],
      ['tests.clientCertificateSecret=', 'tests.clientCertificateSecret is empty'],
      ['tls.clientCertificates.required=false', 'Every pod that reaches the gRPC port can ask for decisions'],
      ['central.enabled=false', 'central.enabled: false: sidecars write no status'],
    ])('it warns of %s, and of nothing else', async (unsafe, warning) => {
      expect(await warningsOf({ set: [...safe, unsafe] })).toEqual([expect.stringContaining(warning)]);
    });

    it('it warns of Secrets that workloads with a sidecar may read, where they are not named', async () => {
      const account = ['sidecar.serviceAccounts[0].namespace=shop', 'sidecar.serviceAccounts[0].name=web'];
      const set = [...safe, 'sidecar.enabled=true', ...account, 'sidecar.secrets.enabled=true'];
      expect(await warningsOf({ set })).toEqual([
        expect.stringContaining(
          'sidecar.secrets.enabled without names: whatever runs as one of sidecar.serviceAccounts',
        ),
      ]);
      expect(await warningsOf({ set: [...set, 'sidecar.secrets.names={keys}'] })).toEqual([]);
    });

    it.each([
      [['crds.enabled=false', 'crds.keep=false']],
      [['image.registry=', `image.digest=sha256:${'0'.repeat(64)}`]],
      [['image.registry=', 'image.repository=registry.example.com/a/b']],
      [['image.registry=', 'global.imageRegistry=mirror.example.com']],
    ])('it does not warn of %j', async (set) => {
      expect(await warningsOf({ set: [...safe, ...set] })).toEqual([]);
    });

    it('it asks for hostGrants where policies of several namespaces are read', async () => {
      const ungranted = safe.filter((one) => !one.startsWith('config.hostGrants'));
      const asked = [expect.stringContaining('config.hostGrants is empty, and policies of several namespaces')];
      expect(await warningsOf({ set: ungranted })).toEqual(asked);
      expect(await warningsOf({ set: [...ungranted, 'watchNamespaces={shop,pay}'] })).toEqual(asked);
      expect(await warningsOf({ set: [...ungranted, 'watchNamespaces={shop}'] })).toEqual([]);
    });

    it.each([
      ['team=shop', true],
      ['team == shop, !legacy', true],
      ['portcullis.example/shard in (one, two),team!=', true],
      ['tier notin (a)', true],
      ['team', true],
      ['team=shop,', false],
      ['tier in a', false],
      ['tier in (a', false],
      ['team=shop pay', false],
      ['=shop', false],
      ['!team=shop', false],
      [`${'a'.repeat(64)}=b`, false],
    ])('it judges the selector %j as serve does', async (selector, isOne) => {
      const { code } = await templateChart(cluster, helm, {
        set: [`policySelector=${selector.replaceAll(',', '\\,')}`],
      });
      expect([code === 0, isLabelSelector(selector)]).toEqual([isOne, isOne]);
    });

    it('it warns of a gRPC port without TLS, and of a certificate that Helm makes', async () => {
      expect(await warningsOf({})).toEqual([
        expect.stringContaining('config.hostGrants is empty'),
        expect.stringContaining('tls.mode: none'),
        expect.stringContaining('Every pod that reaches the gRPC port'),
        expect.stringContaining('image: portcullis/portcullis:0.1.0'),
      ]);
      expect(await warningsOf({ scenario: 'tls-self-signed' })).toContainEqual(
        expect.stringContaining('tls.mode: selfSigned'),
      );
    });

    it('it prints the next step for each proxy, with the names of what it installed', async () => {
      const notes = await notesOf({
        set: ['fullnameOverride=authz', 'service.port=443', 'clusterDomain=cluster.example'],
        namespace: 'edge',
      });
      for (const text of [
        'address: authz-headless.edge.svc.cluster.example, port_value: 9001',
        'envoyExtAuthzGrpc: {service: authz.edge.svc.cluster.example, port: 443, timeout: 0.5s, failOpen: false',
        'action: CUSTOM',
        'backendRefs: [{name: authz, namespace: edge, port: 443}]',
        'kubectl --namespace edge rollout status deployment/authz',
        'helm --namespace edge test portcullis',
        'wait --for=condition=Programmed --timeout=60s accesspolicy/NAME',
        'status_on_error: {code: ServiceUnavailable}',
        'grpc_health_check: {}',
        'The CRDs, and with them every policy, stay',
      ])
        expect(notes).toContain(text);
      const entrypoint = /^ENTRYPOINT (.+)$/mu.exec(readFileSync('deploy/Dockerfile', 'utf8'))?.[1] ?? '';
      expect(notes).toContain(`-- ${textsAt({ entrypoint: JSON.parse(entrypoint) }, 'entrypoint').join(' ')} check `);
      expect(notes).toContain('check --address 127.0.0.1:9001 http://api.example.com/\n');
      for (const block of notes.matchAll(/(?:^ {5}.*\n)+/gmu)) expect(() => objectsOf(block[0])).not.toThrow();
    });

    it('it says who owns the CRDs where they are not part of the release', async () => {
      const told = async (): Promise<string> => {
        const flags = ['--dry-run=server', ...chartFlags({ set: ['crds.enabled=false'] })];
        const { code, stdout, stderr } = await cluster.run(helm, ['install', 'portcullis', chartFolder, ...flags]);
        expect([code, stderr]).toEqual([0, expect.not.stringContaining('rror')]);
        return /^The CRDs are not part of this release.*?\n(?=\n\S|1\.)/msu.exec(stdout)?.[0].trimEnd() ?? '';
      };
      const name = 'crd/accesspolicies.portcullis.dev';
      const command = '   kubectl apply --server-side --filename deploy/crds.yaml';
      expect((await told()).split('\n')).toEqual([
        'The CRDs are not part of this release (crds.enabled: false). Nothing is ready before somebody who may has put them into the cluster.',
        'Where another release owns them they come with that one; only where they are missing, and no release is to have them:',
        '',
        command,
      ]);
      await cluster.kubectl('apply', '--server-side', '--filename', 'deploy/crds.yaml');
      try {
        expect((await told()).split('\n')).toEqual([
          'The CRDs are not part of this release (crds.enabled: false), and of no other: who applied them upgrades them, before this release:',
          '',
          command,
        ]);
        const owner = ['meta.helm.sh/release-name=first', 'meta.helm.sh/release-namespace=platform'];
        await cluster.kubectl('annotate', name, ...owner);
        expect(await told()).toBe(
          'The CRDs are not part of this release (crds.enabled: false): the release first in platform owns them. Upgrade it before this one.',
        );
      } finally {
        await cluster.kubectl('delete', '--filename', 'deploy/crds.yaml');
      }
    });

    const itself = 'portcullis.portcullis.svc';
    it.each<[string, readonly string[], readonly string[]]>([
      [
        'namespaced',
        ['Nothing is ready before somebody who may', '(this release reads those of team-a, team-b). Then:'],
        ['stay when this release is uninstalled'],
      ],
      ['watched', ['(of AccessPolicies those with the labels portcullis.example/shard=one). Then:'], []],
      [
        'by-others',
        ['Roles are not part of this release', 'The service account authz is not part of', 'writes no status'],
        ['helm --namespace', '--for=condition=Programmed'],
      ],
      [
        'sidecar',
        [
          '   shop/web\n   shop/worker\n   pay/web\n',
          'Sidecars do not follow a helm upgrade',
          'and by the floor: write them there.',
        ],
        ['It writes no'],
      ],
      [
        'sidecar-loopback',
        ['Its Envoy asks 127.0.0.1:9001.', 'It writes no status.', 'is in: write them there.'],
        ['rollout status', 'by the floor', 'is empty'],
      ],
      ['everything', ["check --address '[::1]:19001' http://"], ['namespace portcullis exec deployment/portcullis']],
      ['tls-self-signed', [`--tls --tls-ca /etc/portcullis/tls/ca.crt --tls-server-name ${itself} http://`], []],
      ['tls-existing', [`--tls-cert CERTIFICATE --tls-key KEY --tls-server-name ${itself} http://`], [' exec ']],
    ])('it says for ci/%s-values.yaml what holds there, and nothing else', async (scenario, said, unsaid) => {
      const notes = await notesOf({ scenario });
      for (const text of said) expect(notes).toContain(text);
      for (const text of unsaid) expect(notes).not.toContain(text);
    });
  });
});
