import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { chartFlags, chartFolder } from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { installRouteCrds } from '../../support/kubernetes/route-crds.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { healthOf, runCli, type ServeProcess } from '../support/serve-process.ts';
import { startSidecar } from './support/start-pod.ts';
import { waitEstablished } from '../../support/kubernetes/wait-established.ts';

const web = { namespace: 'shop', name: 'web' };

/** A host, a route of the same hostname, and a host whose callers are known and allowed by the API server. */
const documents = `apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: host, namespace: shop}
spec: {hosts: [orders.example.com], rules: [{name: open, matches: [{path: {type: PathPrefix, value: /}}], access: Public}]}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: route, namespace: shop}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
  rules: [{name: none, matches: [{path: {type: PathPrefix, value: /}}], access: Denied}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: orders, namespace: shop}
spec: {hostnames: [orders.example.com]}
---
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: workloads, namespace: shop}
spec: {type: ServiceAccount, serviceAccount: {audiences: [orders]}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: callers, namespace: shop}
spec:
  hosts: [callers.example.com]
  authentication: {providers: [{name: workloads}]}
  rules:
  - {name: known, matches: [{path: {type: PathPrefix, value: /known}}], access: Authenticated}
  - name: may
    matches: [{path: {type: PathPrefix, value: /pods}}]
    access: Restricted
    authorization: {kubernetes: {resourceAttributes: {resource: {value: pods}, verb: {value: get}, namespace: {value: shop}}}}
`;

describeWithCluster('serve with the rights and the arguments of the sidecar', () => {
  let cluster: Cluster;
  let sidecar: ServeProcess;

  beforeAll(async () => {
    cluster = await startCluster();
    for (const namespace of ['portcullis', 'shop']) await cluster.kubectl('create', 'namespace', namespace);
    await cluster.kubectl('create', 'serviceaccount', web.name, '--namespace', web.namespace);
    await installRouteCrds(cluster);
    await cluster.helm4('install', 'portcullis', chartFolder, ...chartFlags({ set: values }));
    await waitEstablished(cluster, '--all');
    await cluster.apply(documents);
    sidecar = await startSidecar(cluster, web);
    await eventually(async () => expect(await healthOf(sidecar.grpcAddress)).toBe('SERVING'), 20_000);
  });
  afterAll(async () => {
    await sidecar?.close();
    await cluster?.stop();
  });

  const values = [
    'sidecar.enabled=true',
    'sidecar.serviceAccounts[0].namespace=shop',
    'sidecar.serviceAccounts[0].name=web',
  ];
  const check = async (url: string): Promise<string> => {
    const token = await cluster.serviceAccountToken({ ...web, audiences: ['orders'], seconds: 600 });
    const { output } = await runCli(['check', '--address', sidecar.grpcAddress, '--token', token, url]);
    return output.split('\n')[0] ?? '';
  };
  const says = (text: string): Promise<void> => eventually(() => expect(sidecar.output()).toContain(text));

  it('serves without the rights for routes and reviews, and its log names the verbs that are missing and the value', async () => {
    expect(await check('http://orders.example.com/')).toBe('ALLOWED');
    expect(await check('http://callers.example.com/known')).toBe('DENIED 503 review_unavailable');
    await says(
      'the service account needs get, list and watch on httproutes.gateway.networking.k8s.io by a Role in the namespace shop; ' +
        'the chart grants it with rbac.create and the namespace in watchNamespaces, to a sidecar with sidecar.routes',
    );
    await says(
      'the right to create tokenreviews is missing; the chart grants it with rbac.reviews, to a sidecar with sidecar.reviews',
    );
  });

  it('names the review of access too, where only that right is missing', async () => {
    await cluster.apply(`apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: token-reviews}
rules: [{apiGroups: [authentication.k8s.io], resources: [tokenreviews], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: token-reviews}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: token-reviews}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
`);
    await eventually(async () => expect(await check('http://callers.example.com/known')).toBe('ALLOWED'), 30_000);
    expect(await check('http://callers.example.com/pods')).toBe('DENIED 503 review_unavailable');
    await says(
      'the right to create subjectaccessreviews is missing; the chart grants it with rbac.reviews, to a sidecar with sidecar.reviews',
    );
    await cluster.kubectl('delete', 'clusterrolebinding', 'token-reviews');
  });

  it('works as soon as the operator switches the rights on', async () => {
    const more = ['sidecar.routes=true', 'sidecar.reviews=true'];
    await cluster.helm4('upgrade', 'portcullis', chartFolder, ...chartFlags({ set: [...values, ...more] }));
    await eventually(
      async () => expect(await check('http://orders.example.com/')).toBe('DENIED 403 route_unknown'),
      60_000,
    );
    await eventually(async () => expect(await check('http://callers.example.com/known')).toBe('ALLOWED'), 30_000);
    await eventually(
      async () => expect(await check('http://callers.example.com/pods')).toBe('DENIED 403 access_denied'),
      30_000,
    );
    await cluster.apply(`apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: pods, namespace: shop}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: pods, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: pods}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
`);
    await eventually(async () => expect(await check('http://callers.example.com/pods')).toBe('ALLOWED'), 30_000);
  }, 120_000);
});
