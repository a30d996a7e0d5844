import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/core/json.ts';
import { checkOf, createCheckClient, encodeCheck } from '../../support/check-over-grpc.ts';
import { eventually } from '../../support/eventually.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { installCrds } from '../../support/kubernetes/crds.ts';
import { createServiceAccount } from '../../support/kubernetes/service-account.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { startServe, type ServeProcess } from '../support/serve-process.ts';

/** The API server takes ten thousand levels, and some are those of the document itself. */
const depth = 9000;

const open = { name: 'open', matches: [{ path: { type: 'PathPrefix', value: '/' } }], access: 'Public' };

function policy(name: string, spec: JsonObject): JsonObject {
  return {
    apiVersion: 'portcullis.dev/v1alpha1',
    kind: 'AccessPolicy',
    metadata: { name, namespace: 'shop' },
    spec: { rules: [open], ...spec },
  };
}

describeWithCluster('serve in a cluster where somebody means harm', () => {
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
    await cluster.kubectl('delete', 'accesspolicies', '--all', '--namespace', 'shop', '--wait=false');
  });
  afterAll(() => cluster?.stop());

  const serve = async (pod: string, ...flags: readonly string[]): Promise<ServeProcess> => {
    const service = await startServe(undefined, ['--kubeconfig', kubeconfig, '--pod-name', pod, ...flags]);
    closers.push(() => service.close());
    return service;
  };
  const decides = (service: ServeProcess, host: string, status: number): Promise<void> =>
    eventually(async () => {
      const client = createCheckClient(service.grpcAddress);
      const check = checkOf({ method: 'GET', host, path: '/', headers: [], clientIp: undefined }, undefined, 'joined');
      const answer = await client.send(encodeCheck(check));
      client.close();
      expect(answer.status?.code === 0 ? 200 : answer.deniedResponse?.status?.code).toBe(status);
    });
  const path = '/apis/portcullis.dev/v1alpha1/namespaces/shop/accesspolicies';
  const create = async (body: JsonValue): Promise<void> =>
    expect((await cluster.request({ method: 'POST', path, body })).status).toBe(201);
  const get = async (name: string): Promise<JsonObject> => {
    const { body } = await cluster.request({ method: 'GET', path: `${path}/${name}` });
    return isJsonObject(body) ? body : {};
  };

  it('S4: an object that is nested thousands deep is refused like any other, and keeps no other one out', async () => {
    const service = await serve('portcullis-0');
    // Written by hand: JSON.stringify cannot.
    const text = JSON.stringify(policy('deep', { hosts: ['deep.example'], adresses: 'DEEP' }));
    const input = text.replace('"DEEP"', `${'['.repeat(depth)}${']'.repeat(depth)}`);
    const made = await cluster.run('kubectl', ['create', '--raw', path, '--filename', '-'], { input });
    expect(made.stderr).toBe('');
    await create(policy('good', { hosts: ['good.example'] }));
    await decides(service, 'good.example', 200);
    await decides(service, 'deep.example', 503);
  });

  it('is not drawn into a race of writes with another installation that says something else', async () => {
    const all = await Promise.all([
      serve('portcullis-a', '--lease-name', 'one'),
      serve('portcullis-b', '--lease-name', 'another'),
      serve('portcullis-c', '--lease-name', 'another'),
    ]);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await create(policy('orders', { hosts: ['api.example'] }));
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const version = async (): Promise<number> => {
      const { metadata } = await get('orders');
      return Number(isJsonObject(metadata) ? metadata['resourceVersion'] : Number.NaN);
    };
    const before = await version();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    // Versions count every write to the cluster, renewed Leases too.
    expect((await version()) - before).toBeLessThan(40);
    expect(all.map((service) => service.output()).join('')).toContain('does another installation write it too?');
  });

  it('S4: a policy that waits for its finalizers is in force until it is gone', async () => {
    const service = await serve('portcullis-0');
    const held = policy('held', { hosts: ['held.example'], rules: [{ ...open, access: 'Denied' }] });
    await create({ ...held, metadata: { name: 'held', namespace: 'shop', finalizers: ['example.com/held'] } });
    await create(policy('wide', { hosts: ['*.example'] }));
    await decides(service, 'held.example', 403);
    await decides(service, 'other.example', 200);
    await cluster.request({ method: 'DELETE', path: `${path}/held` });
    expect((await get('held'))['metadata']).toHaveProperty('deletionTimestamp');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await decides(service, 'held.example', 403);
    const contentType = 'application/merge-patch+json';
    const body = { metadata: { finalizers: null } };
    await cluster.request({ method: 'PATCH', path: `${path}/held`, contentType, body });
    await decides(service, 'held.example', 200);
  });

  it('goes on where its rights are taken away while it runs, and follows again when they are back', async () => {
    const service = await serve('portcullis-0');
    await create(policy('orders', { hosts: ['api.example'] }));
    await decides(service, 'api.example', 200);
    const roles = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
    const { body } = await cluster.request({ method: 'GET', path: `${roles}/portcullis` });
    await cluster.request({ method: 'DELETE', path: `${roles}/portcullis` });
    await cluster.killApiServer();
    await cluster.restartApiServer();
    await eventually(
      async () => expect(service.output()).toContain('the service account needs get, list and watch'),
      30_000,
    );
    await decides(service, 'api.example', 200);
    const { roleRef = null, subjects = null } = isJsonObject(body) ? body : {};
    await create(policy('later', { hosts: ['later.example'] }));
    await cluster.request({
      method: 'POST',
      path: roles,
      body: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'portcullis' },
        roleRef,
        subjects,
      },
    });
    await decides(service, 'later.example', 200);
  }, 90_000);

  it('denies when the CRD of policies is deleted with all of them, and follows it when it is back', async () => {
    const service = await serve('portcullis-0');
    await create(policy('orders', { hosts: ['api.example'] }));
    await decides(service, 'api.example', 200);
    const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/accesspolicies.portcullis.dev';
    await cluster.request({ method: 'DELETE', path: crd });
    await decides(service, 'api.example', 403);
    await eventually(
      async () => expect((await cluster.request({ method: 'GET', path: crd })).status).toBe(404),
      20_000,
    );
    await installCrds(cluster);
    await create(policy('orders', { hosts: ['api.example'] }));
    await eventually(async () => decides(service, 'api.example', 200), 30_000);
  }, 90_000);
});
