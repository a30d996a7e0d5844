import { afterEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import {
  createEngineBehindCluster,
  type EngineBehindCluster,
  type WrittenObject,
} from '../../support/kubernetes/engine-behind-cluster.ts';
import { rawRequest } from '../../support/raw-request.ts';

const clusters: EngineBehindCluster[] = [];
afterEach(() => {
  for (const cluster of clusters.splice(0)) cluster.close();
});

function stand(): EngineBehindCluster {
  const cluster = createEngineBehindCluster();
  clusters.push(cluster);
  return cluster;
}

const gateway = 'gateway.networking.k8s.io';
const policy = (name: string, age: number, spec: JsonObject, namespace = 'shop'): WrittenObject => ({
  apiVersion: 'portcullis.dev/v1alpha1',
  kind: 'AccessPolicy',
  metadata: { name, namespace, creationTimestamp: new Date(1_700_000_000_000 + age * 1000).toISOString() },
  spec,
});
const route = (name: string, host: string): WrittenObject => ({
  apiVersion: `${gateway}/v1`,
  kind: 'HTTPRoute',
  metadata: { name, namespace: 'shop' },
  spec: { hostnames: [host] },
});
const rules = (access: string): readonly JsonObject[] => [
  { name: 'all', matches: [{ path: { type: 'PathPrefix', value: '/' } }], access },
];
const toRoutes = (names: readonly string[], access: string, more: JsonObject = {}): JsonObject => ({
  targetRefs: names.map((name) => ({ group: gateway, kind: 'HTTPRoute', name })),
  rules: rules(access),
  ...more,
});
const sixteen = (prefix: string): readonly string[] => Array.from({ length: 16 }, (_, index) => `${prefix}-${index}`);

async function verdict({ engine }: EngineBehindCluster, host: string): Promise<string> {
  const decision = await engine.check(rawRequest({ host }));
  return decision.kind === 'allow' ? 'allow' : decision.denial.code;
}

/** A wide policy that opens the host of a route, to which another one that denies is attached. */
function putShop(on: EngineBehindCluster): void {
  on.put(policy('wide', 0, { hosts: ['*.shop.example'], rules: rules('Public') }));
  on.put(policy('open', 0, { hosts: ['b.example'], rules: rules('Public') }, 'team-b'));
  on.put(route('pay', 'pay.shop.example'));
  on.put(policy('pay', 100, toRoutes(['pay'], 'Denied')));
}

describe('S7: while the hostnames of a route are not known', () => {
  test('checks without a route are denied on the hosts of its namespace, from the first moment of a replica on', async () => {
    const on = stand();
    putShop(on);
    const answer = on.delayLists('httproutes metadata.name=pay');
    await on.start();
    const hosts = ['pay.shop.example', 'other.shop.example', 'b.example'];
    const all = (): Promise<readonly string[]> => Promise.all(hosts.map((host) => verdict(on, host)));
    expect(await all()).toEqual(['route_unknown', 'route_unknown', 'allow']);
    answer();
    await expect.poll(all).toEqual(['route_unknown', 'allow', 'allow']);
  });

  test('a right that is missing is an answer: the route is not there', async () => {
    const on = stand();
    putShop(on);
    on.refuseLists('httproutes');
    await on.start();
    expect(await verdict(on, 'pay.shop.example')).toBe('allow');
  });

  test('those of a policy in shadow mode close nothing', async () => {
    const on = stand();
    putShop(on);
    on.put(policy('pay', 100, toRoutes(['pay'], 'Denied', { mode: 'Shadow' })));
    on.delayLists('httproutes metadata.name=pay');
    await on.start();
    expect(await verdict(on, 'pay.shop.example')).toBe('allow');
  });

  test('because the namespace refers to more than are followed, its hosts are closed, and opened when it refers to fewer', async () => {
    const on = stand();
    putShop(on);
    for (let index = 0; index < 7; index++)
      on.put(policy(`old${index}`, index, toRoutes(sixteen(`a${index}`), 'Public')));
    await on.start();
    const hosts = ['pay.shop.example', 'other.shop.example', 'b.example'];
    const all = (): Promise<readonly string[]> => Promise.all(hosts.map((host) => verdict(on, host)));
    expect(await all()).toEqual(['route_unknown', 'route_unknown', 'allow']);
    on.remove('AccessPolicy shop/old6');
    await expect.poll(all).toEqual(['route_unknown', 'allow', 'allow']);
  });

  test('an elder replica, which has a last good version in force, and a new one decide alike', async () => {
    const slip = policy('old1', 1, toRoutes(sixteen('b1'), 'Public', { bogus: true }));
    const fill = (on: EngineBehindCluster): void => {
      putShop(on);
      for (let index = 1; index <= 6; index++)
        on.put(policy(`old${index}`, index, toRoutes(sixteen(`a${index}`), 'Public')));
    };
    const [elder, young] = [stand(), stand()];
    fill(elder);
    await elder.start();
    elder.put(slip);
    await expect.poll(() => elder.watched()).toContain('httproutes metadata.name=b1-0');
    await new Promise((resolve) => setTimeout(resolve, 50));
    fill(young);
    young.put(slip);
    await young.start();
    for (const on of [elder, young]) {
      await expect.poll(() => verdict(on, 'other.shop.example')).toBe('allow');
      expect(await verdict(on, 'pay.shop.example')).toBe('route_unknown');
    }
  });
});
