import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
        'rbac.secrets.enabled without names: the service account reads every Secret of the cluster',
      ],
      ['crds.keep=false', 'crds.keep: false: `helm uninstall` deletes the CRDs'],
      ['securityContext.readOnlyRootFilesystem=false', 'podSecurityContext or securityContext: weaker'],
      ['image.tag=latest', 'image.tag: latest'],
      ['tests.clientCertificateSecret=', 'tests.clientCertificateSecret is empty'],
      ['tls.clientCertificates.required=false', 'Every pod that reaches the gRPC port can ask for decisions'],
      ['central.enabled=false', 'central.enabled: false: sidecars write no status'],
    ])('it warns of %s, and of nothing else', async (unsafe, warning) => {
      expect(await warningsOf({ set: [...safe, unsafe] })).toEqual([expect.stringContaining(warning)]);
    });

    it('it warns of a gRPC port without TLS, and of a certificate that Helm makes', async () => {
      expect(await warningsOf({})).toEqual([
        expect.stringContaining('tls.mode: none'),
        expect.stringContaining('Every pod that reaches the gRPC port'),
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
        'The CRDs, and with them every policy, stay',
      ])
        expect(notes).toContain(text);
      const entrypoint = /^ENTRYPOINT (.+)$/mu.exec(readFileSync('deploy/Dockerfile', 'utf8'))?.[1] ?? '';
      expect(notes).toContain(`-- ${textsAt({ entrypoint: JSON.parse(entrypoint) }, 'entrypoint').join(' ')} check `);
      for (const block of notes.matchAll(/(?:^ {5}.*\n)+/gmu)) expect(() => objectsOf(block[0])).not.toThrow();
    });
  });
});
