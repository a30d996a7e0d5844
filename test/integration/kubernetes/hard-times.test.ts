import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/core/json.ts';
import { eventually } from '../../support/eventually.ts';
import { at, textAt } from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { installCrds } from '../../support/kubernetes/crds.ts';
import { createServiceAccount } from '../../support/kubernetes/service-account.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { getText, type ServeProcess } from '../support/serve-process.ts';
import { createServeStand, onePolicy } from './support/serve-stand.ts';

describeWithCluster('serve in hard times', () => {
  let cluster: Cluster;
  let kubeconfig: string;
  const stand = createServeStand(
    () => cluster,
    () => kubeconfig,
  );
  const { serve, ask, decides, statusOf, programmed } = stand;

  beforeAll(async () => {
    cluster = await startCluster();
    kubeconfig = await createServiceAccount(cluster);
    await installCrds(cluster);
    await cluster.kubectl('create', 'namespace', 'shop');
  });
  afterEach(async () => {
    await stand.end();
    await cluster.run('kubectl', ['delete', 'accesspolicies', '--all', '--namespace', 'shop', '--wait=false']);
    await cluster.run('kubectl', ['delete', 'leases', '--all', '--namespace', 'portcullis', '--wait=false']);
  });
  afterAll(() => cluster?.stop());

  const leader = (): Promise<string> =>
    cluster.kubectl('get', 'lease', 'portcullis', '-n', 'portcullis', '-o', 'jsonpath={.spec.holderIdentity}');

  it('a leader that stood still is succeeded, and writes nothing old when it goes on', async () => {
    const replicas = { a: await serve('a'), b: await serve('b') };
    await cluster.apply(onePolicy('orders', 'api.example', 'Public'));
    await programmed('orders');
    await eventually(async () => expect((await statusOf('accesspolicy', 'orders'))['replicas']).toBe('2/2'));
    const [still, other, successor] =
      (await leader()) === 'a' ? [replicas.a, replicas.b, 'b'] : [replicas.b, replicas.a, 'a'];
    // Changed in the moment in which it stands still, so that it may stand between its judgement and its write.
    still.signal('SIGSTOP');
    await cluster.apply(onePolicy('orders', 'api.example', 'Denied'));
    await decides(other, 'api.example', '/', '403 denied');
    await eventually(async () => expect(await leader()).toBe(successor), 40_000);
    await eventually(
      async () =>
        expect(await statusOf('accesspolicy', 'orders')).toMatchObject({ servedGeneration: 2, replicas: '1/1' }),
      60_000,
    );
    await cluster.apply(onePolicy('orders', 'new.example', 'Public'));
    await eventually(async () => expect((await statusOf('accesspolicy', 'orders'))['servedGeneration']).toBe(3));
    const seen = followStatus(cluster, 'orders');
    still.signal('SIGCONT');
    await decides(still, 'new.example', '/', 'allow', 40_000);
    expect(await ask(still, 'api.example')).toBe('403 no_policy');
    await eventually(async () => expect((await statusOf('accesspolicy', 'orders'))['replicas']).toBe('2/2'), 40_000);
    await delay(5000);
    // From then on nobody ever says that an older version is the newest, or serves.
    const told = await seen.end();
    const versions = told.map(({ observedGeneration, servedGeneration }) =>
      JSON.stringify([observedGeneration, servedGeneration]),
    );
    expect([...new Set(versions)]).toEqual(['[3,3]']);
    expect(await leader()).toBe(successor);
    expect(still.output()).toContain('no longer leading');
  }, 180_000);

  it('a token that becomes invalid is replaced by the one that lies in its file, and what happens meanwhile is seen', async () => {
    const folder = cluster.folder;
    const [first, second] = [await boundToken(cluster, 'first'), await boundToken(cluster, 'second')];
    const file = join(folder, 'rotated.token');
    await writeFile(file, first);
    const config = join(folder, 'rotated.kubeconfig');
    await writeFile(config, rotatedKubeconfig(cluster, file));
    const service = await serve('rotated', [], config);
    await cluster.apply(onePolicy('orders', 'api.example', 'Public'));
    await programmed('orders');
    await writeFile(file, second);
    await cluster.kubectl('delete', 'secret', 'first', '--namespace', 'portcullis');
    await eventually(async () => {
      const answer = await cluster.request({
        method: 'GET',
        path: '/apis/portcullis.dev/v1alpha1/accesspolicies',
        token: first,
      });
      expect(answer.status).toBe(401);
    }, 30_000);
    await cluster.apply(onePolicy('orders', 'api.example', 'Denied'));
    await decides(service, 'api.example', '/', '403 denied');
    await programmed('orders');
    expect((await statusOf('accesspolicy', 'orders'))['servedGeneration']).toBe(2);
    // Every watch has to be opened anew now, with the new token.
    await cluster.restartApiServer();
    await cluster.apply(onePolicy('orders', 'api.example', 'Public'));
    await decides(service, 'api.example', '/', 'allow', 40_000);
    await programmed('orders', 60);
    expect((await getText(service.httpPort, '/readyz')).status).toBe(200);
    for (const token of [first, second]) expect(service.output()).not.toContain(token);
  }, 180_000);

  it('2,000 invalid policies at once deny their own hosts and nothing else, within bounds, and each is told', async () => {
    const service = await serve('flooded', ['--log-level', 'info']);
    await cluster.apply(onePolicy('good', 'good.example', 'Public'));
    await programmed('good');
    const before = await residentMegabytes(service);
    const began = performance.now();
    const made = createInvalid(cluster, 2000);
    const slowest = await askWhile(made, () => ask(service, 'good.example'));
    await made;
    await decides(service, 'bad-1999.example', '/', '503 policy_invalid', 60_000);
    const enforcedMs = performance.now() - began;
    // A policy that is changed meanwhile does not wait for thousands of statuses.
    await cluster.apply(onePolicy('good', 'good.example', 'Denied'));
    await decides(service, 'good.example', '/', '403 denied');
    await eventually(async () => expect(await withoutStatus(cluster)).toEqual([]), 120_000);
    const toldMs = performance.now() - began;
    expect(await stand.conditionsOf('accesspolicy', 'bad-777')).toBe(
      'Accepted=False/Invalid ResolvedRefs=True/ResolvedRefs Programmed=False/Denying',
    );
    const grown = (await residentMegabytes(service)) - before;
    console.info(
      `2,000 invalid policies: enforced after ${Math.round(enforcedMs)} ms, all told after ${Math.round(toldMs)} ms, ${Math.round(grown)} MB more, slowest check meanwhile ${Math.round(slowest)} ms`,
    );
    // Half of what the chart gives a pod; most of it is garbage that nothing asks V8 to collect yet.
    expect(grown).toBeLessThan(256);
    expect(slowest).toBeLessThan(1000);
    // Events are a courtesy: 300 at once and one a second after that.
    const events = await cluster.request({ method: 'GET', path: '/apis/events.k8s.io/v1/namespaces/shop/events' });
    const items = at(events.body, 'items');
    expect(Array.isArray(items) ? items.length : 0).toBeLessThan(310 + toldMs / 1000);
    expect(service.output()).not.toContain('uncaught');
    expect(service.lines().filter(({ msg }) => msg === 'a document is refused').length).toBeLessThan(2001);
  }, 300_000);
});

/** Every status of the policy from now on, asked for without a pause. */
function followStatus(cluster: Cluster, name: string): { end(): Promise<readonly JsonObject[]> } {
  const seen: JsonObject[] = [];
  const over = new AbortController();
  const path = `/apis/portcullis.dev/v1alpha1/namespaces/shop/accesspolicies/${name}`;
  const following = (async () => {
    while (!over.signal.aborted) {
      const { body } = await cluster.request({ method: 'GET', path });
      const status = at(body, 'status');
      if (isJsonObject(status)) seen.push(status);
      await delay(2);
    }
  })();
  return {
    end: async () => {
      over.abort();
      await following;
      return seen;
    },
  };
}

/** A token of the service account that lives as long as a Secret of this name, as those of pods live as long as their pods. */
async function boundToken(cluster: Cluster, name: string): Promise<string> {
  await cluster.kubectl('create', 'secret', 'generic', name, '--namespace', 'portcullis');
  const uid = await cluster.kubectl(
    'get',
    'secret',
    name,
    '--namespace',
    'portcullis',
    '--output',
    'jsonpath={.metadata.uid}',
  );
  const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name, uid };
  const { body } = await cluster.request({
    method: 'POST',
    path: '/api/v1/namespaces/portcullis/serviceaccounts/portcullis/token',
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 600, boundObjectRef },
    },
  });
  return textAt(body, 'status.token');
}

function rotatedKubeconfig({ url, caPath }: Cluster, tokenFile: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: 'portcullis' } }],
    clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority': caPath } }],
    users: [{ name: 'u', user: { tokenFile } }],
  });
}

/** Policies that the schema lets pass and the parser refuses, sixteen at a time. */
async function createInvalid(cluster: Cluster, count: number): Promise<void> {
  let next = 0;
  const createSome = async (): Promise<void> => {
    while (next < count) {
      const name = `bad-${next++}`;
      const rule = { name: 'all', matches: [{ path: { type: 'PathPrefix', value: '/' } }], access: 'Public' };
      const answer = await cluster.request({
        method: 'POST',
        path: '/apis/portcullis.dev/v1alpha1/namespaces/shop/accesspolicies',
        body: {
          apiVersion: 'portcullis.dev/v1alpha1',
          kind: 'AccessPolicy',
          metadata: { name, namespace: 'shop' },
          spec: { hosts: [`${name}.example`], adresses: { allow: ['10.0.0.0/8'] }, rules: [rule] },
        },
      });
      expect(answer.status).toBe(201);
    }
  };
  await Promise.all(Array.from({ length: 16 }, createSome));
}

/** Asks until the work is done; the slowest answer in milliseconds. Every answer must be an allow. */
async function askWhile(work: Promise<unknown>, ask: () => Promise<string>): Promise<number> {
  const done = new AbortController();
  void work.finally(() => done.abort());
  let slowest = 0;
  while (!done.signal.aborted) {
    const began = performance.now();
    expect(await ask()).toBe('allow');
    slowest = Math.max(slowest, performance.now() - began);
    await delay(10);
  }
  return slowest;
}

/** The policies whose status says nothing yet about their newest version. */
async function withoutStatus(cluster: Cluster): Promise<readonly string[]> {
  const { body } = await cluster.request({
    method: 'GET',
    path: '/apis/portcullis.dev/v1alpha1/namespaces/shop/accesspolicies',
  });
  const items = at(body, 'items');
  const all: readonly JsonValue[] = Array.isArray(items) ? items : [];
  return all
    .filter((item) => at(item, 'status.observedGeneration') !== at(item, 'metadata.generation'))
    .map((item) => textAt(item, 'metadata.name'));
}

async function residentMegabytes({ httpPort }: ServeProcess): Promise<number> {
  const { text } = await getText(httpPort, '/metrics');
  const [, bytes = 'NaN'] = /^process_resident_memory_bytes (\S+)$/mu.exec(text) ?? [];
  return Number(bytes) / 1e6;
}
