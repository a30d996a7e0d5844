import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/core/json.ts';
import { reasons } from '../../../src/core/reason.ts';
import { metricTable } from '../../../src/observe/metric-table.ts';
import { at, objectsOf, pick, renderChart, textAt, textsAt, type ChartUse } from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';

describeWithCluster('the objects of the chart', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  it('has the CRDs of deploy/crds.yaml, kept at an uninstall unless a value says otherwise', async () => {
    const crds = (objects: readonly JsonObject[]) =>
      objects
        .filter(({ kind }) => kind === 'CustomResourceDefinition')
        .map((crd) => ({ name: textAt(crd, 'metadata.name'), spec: at(crd, 'spec') }))
        .toSorted((a, b) => a.name.localeCompare(b.name));
    const expected = crds(objectsOf(readFileSync('deploy/crds.yaml', 'utf8')));
    const rendered = await renderChart(cluster);
    expect(expected.length).toBe(4);
    expect(crds(rendered)).toEqual(expected);
    const policies = at(
      pick(
        await renderChart(cluster, { scenario: 'everything' }),
        'CustomResourceDefinition',
        'accesspolicies.portcullis.dev',
      ),
      'metadata',
    );
    expect(at(policies, 'annotations')).toEqual({
      'argocd.argoproj.io/sync-wave': '-1',
      contact: 'platform@example.com',
    });
    expect(
      at(pick(rendered, 'CustomResourceDefinition', 'accesspolicies.portcullis.dev'), 'metadata.annotations'),
    ).toEqual({ 'helm.sh/resource-policy': 'keep' });
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
    const kinds = (await renderChart(cluster, { scenario: 'namespaced' })).map((object) => textAt(object, 'kind'));
    expect(kinds.filter((kind) => /^Cluster|^CustomResource/u.test(kind))).toEqual([]);
    expect(kinds).toContain('RoleBinding');
  });

  it('keeps its test pod out of the reach of Services', async () => {
    const labels = at(pick(await renderChart(cluster), 'Pod', 'portcullis-test'), 'metadata.labels');
    expect(labels).toMatchObject({ 'app.kubernetes.io/name': 'portcullis-test' });
  });

  it('has alerts about metrics, labels and codes that there are, and leaves out those that are disabled', async () => {
    const rulesOf = async (use: ChartUse) => {
      const rules = at(pick(await renderChart(cluster, use), 'PrometheusRule', 'portcullis'), 'spec.groups.0.rules');
      return Array.isArray(rules) ? rules : [];
    };
    const rules = await rulesOf({ set: ['metrics.prometheusRule.enabled=true'] });
    expect(rules.length).toBe(12);
    for (const rule of rules) {
      const text = textAt(rule, 'expr');
      const selectors = [...text.matchAll(/(portcullis_\w+?)(?:_bucket)?\{([^}]*)\}/gu)];
      expect([textAt(rule, 'alert'), selectors.length]).not.toEqual([expect.anything(), 0]);
      for (const [, metric = '', labels = ''] of selectors) {
        expect(Object.keys(metricTable)).toContain(metric);
        const known = new Set<string>(['namespace', 'pod', ...metricTable[metric as keyof typeof metricTable].labels]);
        const used = [...labels.matchAll(/(\w+)(?:=~|!=|=)"/gu)].map(([, label = '']) => label);
        expect(used.filter((label) => !known.has(label))).toEqual([]);
        expect(labels).toContain('namespace="portcullis",pod=~"portcullis-.+"');
        const codes = /code=~"([^"]+)"/u.exec(labels)?.[1]?.split('|') ?? [];
        expect(codes.filter((code) => !(code in reasons))).toEqual([]);
      }
    }
    const some = await rulesOf({ scenario: 'monitoring' });
    const names = some.map((rule) => textAt(rule, 'alert'));
    expect(names).not.toContain('PortcullisSlow');
    expect(at(some[0], 'labels')).toEqual({ severity: 'critical', team: 'platform' });
    expect(textAt(some.at(-1), 'record')).toBe('portcullis:decisions:rate5m');
  });

  it('monitors the ports that the pods and Services have', async () => {
    const service = await renderChart(cluster, { scenario: 'monitoring' });
    const selected = at(pick(service, 'ServiceMonitor', 'portcullis'), 'spec.selector.matchLabels');
    const matching = service.filter(
      (object) =>
        object['kind'] === 'Service' &&
        Object.entries(selected ?? {}).every(([key, value]) => labelOf(object, key) === value),
    );
    expect(matching.map((object) => textAt(object, 'metadata.name'))).toEqual(['portcullis-metrics']);
    expect(at(matching[0], 'spec.ports.0.name')).toBe('http');
    const pod = await renderChart(cluster, { scenario: 'pod-monitor' });
    expect(at(pick(pod, 'PodMonitor', 'portcullis'), 'spec')).toMatchObject({
      namespaceSelector: { matchNames: ['portcullis'] },
      podMetricsEndpoints: [{ port: 'http', path: '/metrics', interval: '30s' }],
    });
    expect(at(pick(pod, 'PodMonitor', 'portcullis'), 'metadata.namespace')).toBe('monitoring');
  });

  it('hands the list of revocations, the admin token and a Service for issuers to the pods, where values say so', async () => {
    const objects = await renderChart(cluster, {
      set: [
        'revocations.configMap=revoked',
        'revocations.adminTokenSecret=admin',
        'revocations.issuerService.enabled=true',
        'config.revocationsUnavailable=Ignore',
      ],
    });
    const pod = at(pick(objects, 'Deployment', 'portcullis'), 'spec.template.spec');
    expect(textsAt(pod, 'containers.0.args')).toEqual(
      expect.arrayContaining([
        '--revocations-config-map=$(POD_NAMESPACE)/revoked',
        '--admin-token-file=/etc/portcullis/admin/token',
      ]),
    );
    const volumes = at(pod, 'volumes');
    expect(volumes).toEqual(
      expect.arrayContaining([
        { name: 'admin', secret: { secretName: 'admin', defaultMode: 288, items: [{ key: 'token', path: 'token' }] } },
      ]),
    );
    expect(at(pick(objects, 'Service', 'portcullis-issuers'), 'spec.ports.0')).toMatchObject({
      port: 80,
      targetPort: 'http',
    });
    const none = await renderChart(cluster);
    const args = textsAt(at(pick(none, 'Deployment', 'portcullis'), 'spec.template.spec'), 'containers.0.args').join(
      ' ',
    );
    expect(args).not.toMatch(/revocations|admin-token/);
    expect(none.filter((object) => textAt(object, 'metadata.name').endsWith('-issuers'))).toEqual([]);
  });

  it('closes its ports to all but those that the network policy names, and to its own test', async () => {
    const objects = await renderChart(cluster, { scenario: 'network-policy' });
    const spec = at(pick(objects, 'NetworkPolicy', 'portcullis'), 'spec');
    expect(at(spec, 'policyTypes')).toEqual(['Ingress', 'Egress']);
    expect(at(spec, 'ingress.0')).toEqual({
      ports: [{ port: 'grpc', protocol: 'TCP' }],
      from: [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'gateways' } },
          podSelector: { matchLabels: { app: 'envoy' } },
        },
        {
          podSelector: {
            matchLabels: { 'app.kubernetes.io/name': 'portcullis-test', 'app.kubernetes.io/instance': 'portcullis' },
          },
        },
      ],
    });
    expect(at(spec, 'ingress.1.from')).toEqual([
      { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
    ]);
    expect(at(spec, 'egress.1.ports')).toEqual([{ port: 6443, protocol: 'TCP' }]);
    const closed = at(
      pick(await renderChart(cluster, { set: ['networkPolicy.enabled=true'] }), 'NetworkPolicy', 'portcullis'),
      'spec',
    );
    expect(closed).toMatchObject({
      policyTypes: ['Ingress'],
      ingress: [{ ports: [{ port: 'grpc', protocol: 'TCP' }] }],
    });
  });

  it('has a certificate for every name by which proxies call it', async () => {
    const objects = await renderChart(cluster, { scenario: 'tls-cert-manager', namespace: 'edge' });
    const names = at(pick(objects, 'Certificate', 'portcullis'), 'spec.dnsNames');
    for (const service of ['portcullis', 'portcullis-headless'])
      for (const end of ['.edge.svc.cluster.local', '.edge.svc', '.edge', ''])
        expect(names).toContain(`${service}${end}`);
    expect(names).toContain('authz.example.com');
    const volumes = at(pick(objects, 'Deployment', 'portcullis'), 'spec.template.spec.volumes');
    expect(volumes).toContainEqual({ name: 'tls', secret: { secretName: 'portcullis-tls', defaultMode: 288 } });
    expect(at(pick(objects, 'Certificate', 'portcullis'), 'spec.secretName')).toBe('portcullis-tls');
  });

  it('mounts what it follows as whole folders, read-only, and of a client CA no key', async () => {
    const objects = await renderChart(cluster, { scenario: 'tls-existing' });
    const spec = at(pick(objects, 'Deployment', 'portcullis'), 'spec.template.spec');
    const mounts = at(spec, 'containers.0.volumeMounts');
    expect(mounts).toEqual(
      ['config', 'tls', 'client-ca'].map((name) => ({ name, mountPath: `/etc/portcullis/${name}`, readOnly: true })),
    );
    expect(at(spec, 'volumes.2.secret.items')).toEqual([{ key: 'issuers.pem', path: 'issuers.pem' }]);
    expect(at(spec, 'containers.0.args')).toContain('--tls-client-ca=/etc/portcullis/client-ca/issuers.pem');
  });
});

function labelOf(object: JsonObject, key: string): JsonValue | undefined {
  const labels = at(object, 'metadata.labels');
  return isJsonObject(labels) ? labels[key] : undefined;
}
