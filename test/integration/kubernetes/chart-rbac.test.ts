import { afterAll, beforeAll, expect, it } from 'vitest';
import { at, chartFlags, chartFolder, pick, renderChart, type ChartUse } from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { describeDeed, whatMay, type Deed } from './support/may.ts';

const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
const namespaces = ['portcullis', 'team-a', 'team-b', 'default', 'kube-system'];

const policyKinds = ['portcullis.dev/accesspolicies', 'portcullis.dev/identityproviders'];
const clusterKinds = ['portcullis.dev/clusteraccesspolicies', 'portcullis.dev/clusteridentityproviders'];
/** Those that policies can be attached to. */
const routeKinds = ['gateway.networking.k8s.io/httproutes', 'gateway.networking.k8s.io/grpcroutes'];
const otherKinds = [
  ...routeKinds,
  '/configmaps',
  '/secrets',
  '/pods',
  '/pods/exec',
  '/serviceaccounts/token',
  '/events',
  'events.k8s.io/events',
  'coordination.k8s.io/leases',
  'apps/deployments',
  'rbac.authorization.k8s.io/roles',
];

/** Everything that is looked at: every verb on every kind in every namespace, named objects, and the cluster's kinds. */
const deeds: readonly Deed[] = [
  ...namespaces.flatMap((namespace) =>
    [...policyKinds, ...policyKinds.map((kind) => `${kind}/status`), ...otherKinds].flatMap((resource) =>
      verbs.map((verb) => ({ verb, resource, namespace })),
    ),
  ),
  ...namespaces.flatMap((namespace) =>
    ['/configmaps', '/secrets'].flatMap((resource) =>
      ['keys', 'partner-keys', 'another'].flatMap((name) =>
        ['get', 'list', 'watch', 'delete'].map((verb) => ({ verb, resource, namespace, name })),
      ),
    ),
  ),
  ...namespaces.flatMap((namespace) =>
    ['portcullis', 'another'].flatMap((name) =>
      ['get', 'update', 'patch', 'delete'].map((verb) => ({
        verb,
        resource: 'coordination.k8s.io/leases',
        namespace,
        name,
      })),
    ),
  ),
  ...[
    ...clusterKinds,
    ...clusterKinds.map((kind) => `${kind}/status`),
    '/namespaces',
    '/nodes',
    'apiextensions.k8s.io/customresourcedefinitions',
    'rbac.authorization.k8s.io/clusterroles',
    'authentication.k8s.io/tokenreviews',
    'authorization.k8s.io/subjectaccessreviews',
    'gateway.networking.k8s.io/gateways',
  ].flatMap((resource) => verbs.map((verb) => ({ verb, resource }))),
];

const read = ['get', 'list', 'watch'];
const each = (
  verbsOf: readonly string[],
  resources: readonly string[],
  inNamespaces: readonly (string | undefined)[],
): readonly Deed[] =>
  inNamespaces.flatMap((namespace) =>
    resources.flatMap((resource) => verbsOf.map((verb) => ({ verb, resource, namespace }))),
  );
const status = (kinds: readonly string[]): readonly string[] => kinds.map((kind) => `${kind}/status`);
const named = (resource: string, name: string, inNamespaces: readonly string[]): readonly Deed[] =>
  inNamespaces.flatMap((namespace) => read.map((verb) => ({ verb, resource, namespace, name })));
/** Whoever may do it for all may do it for each by name. */
const andByName = (resource: string, inNamespaces: readonly string[]): readonly Deed[] => [
  ...each(read, [resource], inNamespaces),
  ...['keys', 'partner-keys', 'another'].flatMap((name) => named(resource, name, inNamespaces)),
];
const leaseKind = 'coordination.k8s.io/leases';
/** Those of replicas have names that nobody knows beforehand; that of the leader is held by its name. */
const leases: readonly Deed[] = [
  ...each(['list', 'watch', 'create', 'patch', 'delete'], [leaseKind], ['portcullis']),
  ...['patch', 'delete'].map((verb) => ({ verb, resource: leaseKind, namespace: 'portcullis', name: 'another' })),
  ...['get', 'update', 'patch', 'delete'].map((verb) => ({
    verb,
    resource: leaseKind,
    namespace: 'portcullis',
    name: 'portcullis',
  })),
];
const words = (list: readonly Deed[]): readonly string[] => list.map(describeDeed).toSorted();

const readsCluster = [...each(read, clusterKinds, [undefined]), ...each(['patch'], status(clusterKinds), [undefined])];
const readsPolicies = (where: readonly string[]): readonly Deed[] => [
  ...each(read, [...policyKinds, ...routeKinds], where),
  ...each(['patch'], status(policyKinds), where),
  ...each(['create'], ['events.k8s.io/events'], where),
];
const teams = ['team-a', 'team-b'];

const cases: readonly (readonly [string, ChartUse, readonly Deed[]])[] = [
  [
    'by the defaults',
    {},
    [...readsCluster, ...readsPolicies(namespaces), ...andByName('/configmaps', namespaces), ...leases],
  ],
  [
    'in two namespaces, with Secrets by name',
    { scenario: 'watched' },
    [
      ...readsCluster,
      ...readsPolicies(teams),
      ...andByName('/configmaps', [...teams, 'portcullis']),
      ...named('/secrets', 'partner-keys', [...teams, 'portcullis']),
      ...each(['create'], ['events.k8s.io/events'], ['default']),
      ...leases,
    ],
  ],
  [
    'with rbac.scope namespaced and ConfigMaps by name',
    { scenario: 'namespaced' },
    [...readsPolicies(teams), ...named('/configmaps', 'keys', teams), ...leases],
  ],
  [
    'with rbac.scope namespaced and nothing else: its own namespace',
    { set: ['rbac.scope=namespaced'] },
    [...readsPolicies(['portcullis']), ...andByName('/configmaps', ['portcullis']), ...leases],
  ],
  [
    'where it publishes nothing, and reads no ConfigMap',
    { set: ['publishStatus=false', 'rbac.configMaps.enabled=false'] },
    [...each(read, clusterKinds, [undefined]), ...each(read, [...policyKinds, ...routeKinds], namespaces)],
  ],
  [
    'with Secrets of the cluster',
    { set: ['rbac.secrets.enabled=true'] },
    [
      ...readsCluster,
      ...readsPolicies(namespaces),
      ...andByName('/configmaps', namespaces),
      ...andByName('/secrets', namespaces),
      ...leases,
    ],
  ],
  [
    'with reviews',
    { set: ['rbac.reviews=true'] },
    [
      ...readsCluster,
      ...readsPolicies(namespaces),
      ...andByName('/configmaps', namespaces),
      ...each(
        ['create'],
        ['authentication.k8s.io/tokenreviews', 'authorization.k8s.io/subjectaccessreviews'],
        [undefined],
      ),
      ...leases,
    ],
  ],
  [
    'with a ConfigMap of revocations and no other',
    { set: ['rbac.scope=namespaced', 'rbac.configMaps.enabled=false', 'revocations.configMap=keys'] },
    [...readsPolicies(['portcullis']), ...named('/configmaps', 'keys', ['portcullis']), ...leases],
  ],
  ['where others grant', { set: ['rbac.create=false'] }, []],
];

describeWithCluster("the chart's service account", () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
    for (const namespace of ['portcullis', 'team-a', 'team-b', 'shop', 'pay'])
      await cluster.kubectl('create', 'namespace', namespace);
  });
  afterAll(() => cluster?.stop());

  it.each(cases)('%s may do exactly what serve needs', async (_title, use, expected) => {
    await cluster.helm4('install', 'portcullis', chartFolder, ...chartFlags(use));
    try {
      const account = { namespace: 'portcullis', name: 'portcullis' };
      expect(await whatMay(cluster, account, deeds)).toEqual(words(expected));
    } finally {
      await cluster.helm4('uninstall', 'portcullis', '--namespace', 'portcullis');
    }
  });

  const neither = ['sidecar.routes=false', 'sidecar.reviews=false'];

  it.each<readonly [string, readonly string[], readonly Deed[]]>([
    ['reads the policies of its own namespace and the floor, and writes nothing', neither, []],
    [
      'reads no ConfigMap and no Secret where the central service may',
      [...neither, 'rbac.secrets.enabled=true', 'rbac.configMaps.enabled=true'],
      [],
    ],
    [
      'reads the ConfigMaps and Secrets of its own namespace where values say so, and none of the release',
      [...neither, 'sidecar.configMaps.enabled=true', 'sidecar.secrets.enabled=true'],
      [...andByName('/configmaps', ['shop']), ...andByName('/secrets', ['shop'])],
    ],
    [
      'reads what is named of its own namespace and of the release',
      [
        ...neither,
        'sidecar.configMaps.enabled=true',
        'sidecar.configMaps.names={keys}',
        'sidecar.secrets.enabled=true',
        'sidecar.secrets.names={partner-keys}',
      ],
      [
        ...named('/configmaps', 'keys', ['shop', 'portcullis']),
        ...named('/secrets', 'partner-keys', ['shop', 'portcullis']),
      ],
    ],
    [
      'reads the routes of its own namespace where a value says so',
      ['sidecar.reviews=false'],
      each(read, routeKinds, ['shop']),
    ],
    [
      'asks for reviews where a value says so',
      ['sidecar.routes=false'],
      each(
        ['create'],
        ['authentication.k8s.io/tokenreviews', 'authorization.k8s.io/subjectaccessreviews'],
        [undefined],
      ),
    ],
  ])('of a sidecar %s', async (_title, set, more) => {
    for (const [namespace, name] of [
      ['shop', 'web'],
      ['pay', 'web'],
      ['shop', 'other'],
    ] as const)
      await cluster.run('kubectl', ['create', 'serviceaccount', name, '--namespace', namespace]);
    await cluster.helm4('install', 'portcullis', chartFolder, ...chartFlags({ scenario: 'sidecar', set }));
    try {
      const inShop = [
        ...deeds,
        ...each(verbs, [...policyKinds, ...status(policyKinds), ...otherKinds], ['shop', 'pay']),
        ...['/configmaps', '/secrets'].flatMap((kind) =>
          ['keys', 'partner-keys', 'another'].flatMap((name) => named(kind, name, ['shop', 'pay'])),
        ),
      ];
      expect(await whatMay(cluster, { namespace: 'shop', name: 'web' }, inShop)).toEqual(
        words([...each(read, policyKinds, ['shop']), ...each(read, clusterKinds, [undefined]), ...more]),
      );
      expect(await whatMay(cluster, { namespace: 'shop', name: 'other' }, inShop)).toEqual([]);
    } finally {
      await cluster.helm4('uninstall', 'portcullis', '--namespace', 'portcullis');
    }
  });

  it("is given to no pod but the Deployment's, which asks for it by itself", async () => {
    const objects = await renderChart(cluster, { scenario: 'sidecar' });
    expect(at(pick(objects, 'ServiceAccount', 'portcullis'), 'automountServiceAccountToken')).toBe(false);
    expect(at(pick(objects, 'Deployment', 'portcullis'), 'spec.template.spec.automountServiceAccountToken')).toBe(true);
    expect(at(pick(objects, 'Pod', 'portcullis-test'), 'spec.automountServiceAccountToken')).toBe(false);
  });

  it("lets people do with policies what Kubernetes' own roles let them do with the rest of a namespace", async () => {
    const rolesOf = async (...set: readonly string[]) => {
      const roles = (await renderChart(cluster, { set })).filter(({ kind }) => kind === 'ClusterRole');
      return Object.fromEntries(
        roles.map((role) => {
          const labels = Object.keys(at(role, 'metadata.labels') ?? {});
          const aggregate = labels.flatMap((label) => /aggregate-to-(.+)/u.exec(label)?.[1] ?? []);
          return [at(role, 'metadata.name'), aggregate];
        }),
      );
    };
    expect(await rolesOf()).toEqual({
      portcullis: [],
      'portcullis-policies': [],
      'portcullis-view': ['admin', 'edit', 'view'],
      'portcullis-edit': ['admin', 'edit'],
      'portcullis-admin': ['admin'],
      'portcullis-platform': [],
    });
    expect(await rolesOf('rbac.aggregateTo={view,admin}')).toMatchObject({
      'portcullis-view': ['admin', 'view'],
      'portcullis-edit': ['admin'],
    });
    expect(Object.values(await rolesOf('rbac.aggregateTo={view}')).flat()).toEqual(['view']);
  });

  it('of somebody with the role view may read policies and no more, with edit write them too, with platform the floor as well', async () => {
    const roles = (await renderChart(cluster)).filter(({ kind }) => kind === 'ClusterRole');
    await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: roles }));
    const kinds = [...each(verbs, policyKinds, ['team-a', 'team-b']), ...each(verbs, clusterKinds, [undefined])];
    const write = ['create', 'update', 'patch', 'delete', 'deletecollection'];
    for (const [role, expected] of [
      ['view', each(read, policyKinds, ['team-a'])],
      ['edit', each(write, policyKinds, ['team-a'])],
      ['admin', each(verbs, policyKinds, ['team-a'])],
    ] as const) {
      await cluster.kubectl('create', 'serviceaccount', role, '--namespace', 'team-a');
      const binding = ['--clusterrole', `portcullis-${role}`, '--serviceaccount', `team-a:${role}`];
      await cluster.kubectl('create', 'rolebinding', role, '--namespace', 'team-a', ...binding);
      expect(await whatMay(cluster, { namespace: 'team-a', name: role }, kinds)).toEqual(words(expected));
    }
    await cluster.kubectl('create', 'serviceaccount', 'platform', '--namespace', 'team-a');
    const binding = ['--clusterrole=portcullis-platform', '--serviceaccount=team-a:platform'];
    await cluster.kubectl('create', 'clusterrolebinding', 'platform', ...binding);
    expect(await whatMay(cluster, { namespace: 'team-a', name: 'platform' }, kinds)).toEqual(words(kinds));
  });
});
