import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import {
  at,
  chartFlags,
  chartFolder,
  helms,
  objectsOf,
  pick,
  renderChart,
  scenarioFile,
  scenarios,
  templateChart,
  type ChartUse,
} from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import type { ToolRun } from '../../support/kubernetes/run-tool.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { otherKinds, restrictedNamespaces } from './support/chart-surroundings.ts';

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
    await cluster.kubectl('wait', '--for=condition=Established', 'crd', '--all');
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
        ...['lint', '--strict', chartFolder, '--values', scenarioFile(scenario)],
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
      const extra = ['portcullis-extra', 'portcullis-mesh-config'];
      for (const object of objects.filter((one) => !extra.includes(String(at(one, 'metadata.name'))))) {
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
      expect(objects.filter((object) => String(object['apiVersion']).includes('portcullis.dev'))).toEqual([]);
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
      for (const block of notes.matchAll(/(?:^ {5}.*\n)+/gmu)) expect(() => objectsOf(block[0])).not.toThrow();
    });
  });

  it('has the grace period, the pauses and the probes that its shutdown settings need', async () => {
    const podOf = async (use: ChartUse) =>
      at(pick(await renderChart(cluster, use), 'Deployment', 'portcullis'), 'spec.template.spec');
    const plain = await podOf({});
    expect(at(plain, 'terminationGracePeriodSeconds')).toBe(3 + 5 + 20 + 5);
    expect(at(plain, 'containers.0.lifecycle')).toEqual({ preStop: { sleep: { seconds: 3 } } });
    expect(at(await podOf({ scenario: 'ha' }), 'terminationGracePeriodSeconds')).toBe(5 + 15 + 90 + 5);
    expect(
      at(
        await podOf({ set: ['config.shutdownTimeout=500ms', 'preStopSleepSeconds=0'] }),
        'terminationGracePeriodSeconds',
      ),
    ).toBe(0 + 6 + 5);
    expect(at(await podOf({ set: ['preStopSleepSeconds=0'] }), 'containers.0.lifecycle')).toBeUndefined();
    expect(at(plain, 'containers.0.readinessProbe.grpc')).toEqual({ port: 9001 });
    expect(at(await podOf({ scenario: 'tls-self-signed' }), 'containers.0.readinessProbe.httpGet')).toEqual({
      path: '/readyz',
      port: 'http',
    });
    for (const probe of ['startupProbe', 'livenessProbe'])
      expect(at(plain, `containers.0.${probe}.httpGet`)).toEqual({ path: '/healthz', port: 'http' });
  });

  it('has the image that the values name: registry, mirror, tag and digest', async () => {
    const imageOf = async (...set: readonly string[]) =>
      at(
        pick(await renderChart(cluster, { set }), 'Deployment', 'portcullis'),
        'spec.template.spec.containers.0.image',
      );
    const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
    expect(await imageOf()).toBe('portcullis/portcullis:0.1.0');
    expect(await imageOf('image.registry=registry.example.com', 'image.tag=1.2.3')).toBe(
      'registry.example.com/portcullis/portcullis:1.2.3',
    );
    expect(await imageOf('image.registry=a.example', 'global.imageRegistry=mirror.example/x')).toBe(
      'mirror.example/x/portcullis/portcullis:0.1.0',
    );
    expect(await imageOf('image.tag=1.2.3', `image.digest=${digest}`)).toBe(`portcullis/portcullis@${digest}`);
  });

  it('rolls the pods when the settings change, and not when anything else does', async () => {
    const templateOf = async (...set: readonly string[]) =>
      at(pick(await renderChart(cluster, { set }), 'Deployment', 'portcullis'), 'spec.template');
    const before = await templateOf();
    expect(await templateOf('service.annotations.a=b', 'commonAnnotations.a=b', 'replicas=4')).toEqual(before);
    expect(await templateOf('config.logLevel=warn')).not.toEqual(before);
  });

  it('makes a disruption budget only where one pod is not all there is', async () => {
    const budgets = async (...set: readonly string[]) =>
      (await renderChart(cluster, { set })).filter((object) => object['kind'] === 'PodDisruptionBudget').length;
    expect([
      await budgets(),
      await budgets('replicas=1'),
      await budgets('replicas=1', 'autoscaling.enabled=true'),
    ]).toEqual([1, 0, 1]);
  });

  it('makes nothing of the cluster with rbac.scope namespaced', async () => {
    const kinds = (await renderChart(cluster, { scenario: 'namespaced' })).map((object) => object['kind']);
    expect(kinds.filter((kind) => /^Cluster|^CustomResource/u.test(String(kind)))).toEqual([]);
    expect(kinds).toContain('RoleBinding');
  });

  it('keeps its test pod out of the reach of Services', async () => {
    const labels = at(pick(await renderChart(cluster), 'Pod', 'portcullis-test'), 'metadata.labels');
    expect(labels).toMatchObject({ 'app.kubernetes.io/name': 'portcullis-test' });
  });
});
