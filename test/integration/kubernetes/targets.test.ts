import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../src/core/json.ts';
import type { RequestRoute } from '../../../src/core/request.ts';
import { startEchoUpstream } from '../../../src/dev/echo-upstream.ts';
import { exchange } from '../../../src/dev/http-exchange.ts';
import { checkOf, createCheckClient, encodeCheck } from '../../support/check-over-grpc.ts';
import { eventually } from '../../support/eventually.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { installCrds } from '../../support/kubernetes/crds.ts';
import { installRouteCrds } from '../../support/kubernetes/route-crds.ts';
import { createServiceAccount } from '../../support/kubernetes/service-account.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { envoyPart } from '../../tools/parts.ts';
import { sendRouteMetadata } from '../support/context-routes.ts';
import { getText, startServe, type ServeProcess } from '../support/serve-process.ts';
import { startEnvoyBefore } from '../support/stand.ts';

const envoyBinary = await envoyPart.find(process.env);
const open = '{name: open, matches: [{path: {type: PathPrefix, value: /}}], access: Public}';
const ref = (name: string, section = ''): string =>
  `{group: gateway.networking.k8s.io, kind: HTTPRoute, name: ${name}${section === '' ? '' : `, sectionName: ${section}`}}`;
const policy = (name: string, attached: string, rules = open): string =>
  `{apiVersion: portcullis.dev/v1alpha1, kind: AccessPolicy, metadata: {name: ${name}, namespace: shop}, spec: {${attached}, rules: [${rules}]}}`;
const httpRoute = (name: string, hostname: string, rules = '{name: list}'): string =>
  `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: ${name}, namespace: shop}, spec: {hostnames: [${hostname}], parentRefs: [{name: public, namespace: infra}], rules: [${rules}]}}`;
const route = (name: string, section = ''): RequestRoute => ({
  kind: 'HTTPRoute',
  namespace: 'shop',
  name,
  section,
  annotations: new Map(),
});

describeWithCluster('policies on routes before a real API server', () => {
  let cluster: Cluster;
  let kubeconfig: string;
  const closers: (() => unknown)[] = [];

  beforeAll(async () => {
    cluster = await startCluster();
    kubeconfig = await createServiceAccount(cluster);
    await cluster.kubectl('create', 'namespace', 'shop');
    await installCrds(cluster);
  });
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
    await cluster.run('kubectl', ['delete', 'accesspolicies,httproutes', '--all', '--namespace', 'shop']);
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  const serve = async (as = kubeconfig, pod = 'portcullis-0'): Promise<ServeProcess> => {
    const service = await startServe(undefined, ['--kubeconfig', as, '--pod-name', pod]);
    closers.push(() => service.close());
    return service;
  };
  const ask = async (service: ServeProcess, host: string, on?: RequestRoute): Promise<string> => {
    const client = createCheckClient(service.grpcAddress);
    const request = { method: 'GET', host, path: '/', headers: [], clientIp: undefined, route: on };
    const answer = await client.send(encodeCheck(checkOf(request, undefined, 'joined')));
    client.close();
    if (answer.status?.code === 0) return 'allow';
    const body: unknown = JSON.parse(answer.deniedResponse?.body ?? '{}');
    return isJsonObject(body) ? textOf(body['error']) : '';
  };
  const decides = (
    service: ServeProcess,
    host: string,
    on: RequestRoute | undefined,
    expected: string,
  ): Promise<void> => eventually(async () => expect(await ask(service, host, on)).toBe(expected));
  const statusOf = async (name: string): Promise<JsonObject> => {
    const text = await cluster.kubectl('get', 'accesspolicy', name, '--namespace', 'shop', '--output', 'json');
    const object: unknown = JSON.parse(text);
    const status = isJsonObject(object) ? object['status'] : undefined;
    return isJsonObject(status) ? status : {};
  };
  const conditionOf = async (name: string, type: string): Promise<string> => {
    const { conditions } = await statusOf(name);
    const all: readonly unknown[] = Array.isArray(conditions) ? conditions : [];
    const own = all.find((one) => isJsonObject(one) && one['type'] === type);
    return isJsonObject(own) ? `${textOf(own['status'])} ${textOf(own['reason'])}: ${textOf(own['message'])}` : '';
  };
  const says = (name: string, type: string, expected: string): Promise<void> =>
    eventually(async () => expect(await conditionOf(name, type)).toContain(expected), 30_000);

  it('says that the Gateway API is not installed, decides all the same, and is ready at once', async () => {
    await cluster.apply(policy('early', `targetRefs: [${ref('orders')}]`));
    const startedAt = performance.now();
    const service = await serve();
    await eventually(async () => expect((await getText(service.httpPort, '/readyz')).status).toBe(200));
    expect(performance.now() - startedAt).toBeLessThan(9000);
    expect(await ask(service, 'a.example', route('orders'))).toBe('allow');
    expect(await ask(service, 'a.example')).toBe('no_policy');
    await says(
      'early',
      'ResolvedRefs',
      'False TargetNotReadable: HTTPRoute shop/orders cannot be read: the CRD of httproutes.gateway.networking.k8s.io is not installed',
    );
    expect(await conditionOf('early', 'Accepted')).toContain('True Accepted');
    await installRouteCrds(cluster);
    await cluster.apply(httpRoute('orders', 'a.example'));
    await eventually(async () => expect(await ask(service, 'a.example')).toBe('route_unknown'), 30_000);
    await says('early', 'ResolvedRefs', 'True ResolvedRefs');
  }, 90_000);

  it('S5, S7: follows the routes that policies name, and no other', async () => {
    const service = await serve();
    await cluster.apply(httpRoute('orders', 'orders.example'));
    await cluster.apply(httpRoute('other', 'other.example'));
    await cluster.apply(policy('orders', `targetRefs: [${ref('orders')}]`));
    await cluster.apply(policy('hosts', 'hosts: [other.example, orders.example, moved.example]'));
    await decides(service, 'orders.example', undefined, 'route_unknown');
    expect(await ask(service, 'any.example', route('orders'))).toBe('allow');
    await decides(service, 'other.example', undefined, 'allow');
    await says('orders', 'ResolvedRefs', 'True ResolvedRefs');
    await cluster.apply(httpRoute('orders', 'moved.example'));
    await decides(service, 'moved.example', undefined, 'route_unknown');
    expect(await ask(service, 'orders.example')).toBe('allow');
    await cluster.kubectl('delete', 'httproute', 'orders', '--namespace', 'shop');
    await decides(service, 'moved.example', undefined, 'allow');
    await says('orders', 'ResolvedRefs', 'False TargetNotFound: HTTPRoute shop/orders: it does not exist');
    expect(await ask(service, 'any.example', route('orders'))).toBe('allow');
    expect(await conditionOf('orders', 'Programmed')).toContain('True Programmed');
  }, 60_000);

  it('says of a rule that is not there, at the policy and at the Gateway of the route', async () => {
    const service = await serve();
    await cluster.apply(httpRoute('orders', 'orders.example'));
    await cluster.apply(policy('admin', `targetRefs: [${ref('orders', 'admin')}]`));
    await says('admin', 'ResolvedRefs', 'False TargetNotFound: HTTPRoute shop/orders, rule admin: it does not exist');
    const outline = async (): Promise<unknown> => {
      const { ancestors } = await statusOf('admin');
      return (Array.isArray(ancestors) ? ancestors : []).map((one: JsonObject) => ({
        ...one,
        conditions: (Array.isArray(one['conditions']) ? one['conditions'] : []).map(
          (condition: JsonObject) =>
            `${textOf(condition['type'])}=${textOf(condition['status'])}/${textOf(condition['reason'])}`,
        ),
      }));
    };
    const ancestorRef = {
      group: 'gateway.networking.k8s.io',
      kind: 'Gateway',
      namespace: 'infra',
      name: 'public',
    };
    const ancestor = { ancestorRef, controllerName: 'portcullis.dev/portcullis' };
    await eventually(async () =>
      expect(await outline()).toEqual([
        { ...ancestor, conditions: ['Accepted=False/TargetNotFound', 'Programmed=True/Programmed'] },
      ]),
    );
    await cluster.apply(httpRoute('orders', 'orders.example', '{name: list}, {name: admin}'));
    await eventually(async () =>
      expect(await outline()).toEqual([
        { ...ancestor, conditions: ['Accepted=True/Accepted', 'Programmed=True/Programmed'] },
      ]),
    );
    expect(await ask(service, 'a.example', route('orders', 'admin'))).toBe('allow');
    expect(await ask(service, 'a.example', route('orders', 'list'))).toBe('no_policy');
  }, 60_000);

  it('S7: says so in status once a check comes whose proxy names no route', async () => {
    const service = await serve();
    await cluster.apply(httpRoute('orders', 'orders.example'));
    await cluster.apply(policy('orders', `targetRefs: [${ref('orders')}]`));
    await says('orders', 'ResolvedRefs', 'True ResolvedRefs');
    expect(await conditionOf('orders', 'Unrouted')).toBe('');
    expect(await ask(service, 'orders.example')).toBe('route_unknown');
    await says('orders', 'Unrouted', 'True RouteMetadataMissing');
  }, 60_000);

  it('S4: a refused policy denies what its route would lead to it, and its hostnames stay reserved', async () => {
    const service = await serve();
    await cluster.apply(httpRoute('orders', 'orders.example'));
    const bad = policy('orders', `targetRefs: [${ref('orders')}], adresses: {allow: [10.0.0.0/8]}`);
    await cluster.run('kubectl', ['apply', '--validate=ignore', '--filename', '-'], { input: bad });
    await decides(service, 'orders.example', undefined, 'route_unknown');
    expect(await ask(service, 'orders.example', route('orders'))).toBe('policy_invalid');
    expect(await ask(service, 'orders.example', route('other'))).toBe('no_policy');
  }, 60_000);

  it('writes nothing to a policy on a route that does not change', async () => {
    await serve();
    await cluster.apply(httpRoute('orders', 'orders.example'));
    await cluster.apply(policy('orders', `targetRefs: [${ref('orders')}]`));
    await says('orders', 'Programmed', 'True Programmed');
    await says('orders', 'ResolvedRefs', 'True ResolvedRefs');
    const version = (): Promise<string> =>
      cluster.kubectl('get', 'accesspolicy/orders', '-n', 'shop', '--output', 'jsonpath={.metadata.resourceVersion}');
    const before = await version();
    await cluster.apply(policy('second', `targetRefs: [${ref('second')}]`));
    await says('second', 'ResolvedRefs', 'TargetNotFound');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await version()).toBe(before);
  }, 60_000);

  it('names the right that is missing, and is ready without it', async () => {
    const role = `
{apiVersion: v1, kind: ServiceAccount, metadata: {name: noroutes, namespace: portcullis}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: noroutes}
rules:
- {apiGroups: [portcullis.dev], resources: ["*"], verbs: [get, list, watch, patch]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: noroutes}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: noroutes}
subjects: [{kind: ServiceAccount, name: noroutes, namespace: portcullis}]
`;
    await cluster.apply(role);
    await cluster.run('kubectl', ['delete', 'leases', '--all', '--namespace', 'portcullis']);
    const token = await cluster.serviceAccountToken({ namespace: 'portcullis', name: 'noroutes' });
    await cluster.apply(httpRoute('orders', 'orders.example'));
    await cluster.apply(policy('orders', `targetRefs: [${ref('orders')}]`));
    const service = await serve(await cluster.writeKubeconfig('noroutes', token), 'portcullis-poor');
    await eventually(async () => expect((await getText(service.httpPort, '/readyz')).status).toBe(200));
    await says(
      'orders',
      'ResolvedRefs',
      'the service account needs get, list and watch on httproutes.gateway.networking.k8s.io by a Role in the namespace shop',
    );
    expect(await ask(service, 'any.example', route('orders'))).toBe('allow');
  }, 60_000);

  it.runIf(envoyBinary !== undefined)(
    'decides by the route that a real Envoy chose, which no client can name',
    async () => {
      const service = await serve();
      await cluster.apply(httpRoute('orders', 'orders.example', '{name: admin}'));
      await cluster.apply(policy('orders', `targetRefs: [${ref('orders')}]`));
      await cluster.apply(policy('admin', `targetRefs: [${ref('orders', 'admin')}]`, open.replace('Public', 'Denied')));
      await decides(service, 'orders.example', undefined, 'route_unknown');
      await decides(service, 'orders.example', route('orders', 'admin'), 'denied');
      const upstream = await startEchoUpstream();
      closers.push(() => upstream.close());
      const resource = { kind: 'HTTPRoute', namespace: 'shop', name: 'orders' };
      const to = (prefix: string, resources: readonly JsonObject[]): JsonObject => ({
        match: { prefix },
        route: { cluster: 'upstream' },
        metadata: { filter_metadata: { 'envoy-gateway': { resources } } },
      });
      const before = async (filter: JsonObject): Promise<(path: string) => Promise<string>> => {
        const envoy = await startEnvoyBefore(service.grpcAddress, upstream.port, {
          envoyBinary: envoyBinary ?? '',
          filter,
          routes: [
            to('/admin', [{ ...resource, sectionName: 'admin' }]),
            to('/twice', [resource, resource]),
            to('/', [resource]),
          ],
        });
        closers.push(() => envoy.close());
        return async (path) => {
          const headers = { host: 'orders.example', 'x-envoy-route': 'HTTPRoute/shop/orders' };
          const { status, body } = await exchange(envoy.port, { method: 'GET', path, headers });
          const answer: unknown = JSON.parse(body);
          return `${status} ${isJsonObject(answer) ? textOf(answer['error']) : ''}`.trim();
        };
      };
      const get = await before(sendRouteMetadata);
      expect(await get('/')).toBe('200');
      expect(await get('/admin')).toBe('403 denied');
      expect(await get('/twice')).toBe('403 route_unknown');
      const silent = await before({});
      expect(await silent('/')).toBe('403 route_unknown');
      for (const name of ['orders', 'admin']) await says(name, 'Unrouted', 'True RouteMetadataMissing');
    },
    90_000,
  );
});

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
