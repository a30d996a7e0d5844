import { afterEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import {
  createEngineBehindCluster,
  type EngineBehindCluster,
  type WrittenObject,
} from '../../support/kubernetes/engine-behind-cluster.ts';
import { rawRequest } from '../../support/raw-request.ts';

let cluster: EngineBehindCluster | undefined;
afterEach(() => cluster?.close());

const gateway = 'gateway.networking.k8s.io';
const policy = (name: string, spec: JsonObject): WrittenObject => ({
  apiVersion: 'portcullis.dev/v1alpha1',
  kind: 'AccessPolicy',
  metadata: { name, namespace: 'shop' },
  spec,
});
const route = (name: string): WrittenObject => ({
  apiVersion: `${gateway}/v1`,
  kind: 'HTTPRoute',
  metadata: { name, namespace: 'shop' },
  spec: { hostnames: [`${name}.example`] },
});
const all = [{ path: { type: 'PathPrefix', value: '/' } }];
/** Attached to the route, and denying all. */
const locked = (target: string, more: JsonObject = {}): WrittenObject =>
  policy('locked', {
    targetRefs: [{ group: gateway, kind: 'HTTPRoute', name: target }],
    rules: [{ name: 'no', matches: all, access: 'Denied' }],
    ...more,
  });

async function verdict({ engine }: EngineBehindCluster, host: string): Promise<string> {
  const decision = await engine.check(rawRequest({ host }));
  return decision.kind === 'allow' ? 'allow' : decision.denial.code;
}

describe('S4 and S7: the hostnames of the routes that the version in force is attached to', () => {
  test.each<readonly [string, JsonObject, JsonObject]>([
    ['the parser refuses', {}, { bogus: 1 }],
    ['names a provider that does not exist', {}, { authentication: { providers: [{ name: 'nowhere' }] } }],
    [
      'names a provider that does not exist, and denies then',
      { onInvalid: 'Deny' },
      { onInvalid: 'Deny', authentication: { providers: [{ name: 'nowhere' }] } },
    ],
  ])('stay reserved while a newer version %s', async (_title, first, second) => {
    cluster = createEngineBehindCluster();
    const on = cluster;
    for (const name of ['a', 'b']) on.put(route(name));
    on.put(policy('host', { hosts: ['a.example'], rules: [{ name: 'open', matches: all, access: 'Public' }] }));
    on.put(locked('a', first));
    await on.start();
    await expect.poll(() => verdict(on, 'a.example')).toBe('route_unknown');
    on.put(locked('b', second));
    await expect.poll(() => on.watched()).toContain('httproutes metadata.name=b');
    // Long enough for a reflector to be ended.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([await verdict(on, 'a.example'), on.watched().includes('httproutes metadata.name=a')]).toEqual([
      'route_unknown',
      true,
    ]);
    // The control: a version that is accepted lets go of the route.
    on.put(locked('b'));
    await expect.poll(() => verdict(on, 'a.example')).toBe('allow');
    await expect.poll(() => on.watched().includes('httproutes metadata.name=a')).toBe(false);
  });
});

describe('S4 and S7: a policy that is deleted and made anew', () => {
  test.each([
    ['can be read', false],
    ['cannot be read any more', true],
  ])('has the hostnames of its route reserved at once, where routes %s', async (_title, isRefused) => {
    cluster = createEngineBehindCluster();
    const on = cluster;
    on.put(route('a'));
    on.put(policy('host', { hosts: ['a.example'], rules: [{ name: 'open', matches: all, access: 'Public' }] }));
    on.put(locked('a'));
    await on.start();
    await expect.poll(() => verdict(on, 'a.example')).toBe('route_unknown');
    if (isRefused) on.refuseLists('httproutes');
    on.remove('AccessPolicy shop/locked');
    // The control: what is deleted holds no more, and the wider policy decides.
    await expect.poll(() => verdict(on, 'a.example')).toBe('allow');
    let revisions = 0;
    on.engine.onChange(() => {
      revisions += 1;
    });
    on.put(locked('a'));
    await expect.poll(() => revisions).toBeGreaterThan(0);
    expect(await verdict(on, 'a.example')).toBe('route_unknown');
    expect(on.watched().filter((one) => one.startsWith('httproutes'))).toEqual(['httproutes metadata.name=a']);
  });
});

describe('S4 and S7: of a namespace with more routes than are followed', () => {
  const aged = (name: string, age: number, targets: readonly string[], more: JsonObject = {}): WrittenObject => ({
    ...policy(name, {
      targetRefs: targets.map((target) => ({ group: gateway, kind: 'HTTPRoute', name: target })),
      rules: [{ name: 'no', matches: all, access: 'Denied' }],
      ...more,
    }),
    metadata: { name, namespace: 'shop', creationTimestamp: new Date(1_700_000_000_000 + age * 1000).toISOString() },
  });
  const names = (prefix: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  const late = { authentication: { providers: [{ name: 'late' }] } };
  const open = policy('wide', { hosts: ['*.example'], rules: [{ name: 'open', matches: all, access: 'Public' }] });
  const routesOf = (on: EngineBehindCluster): number =>
    on.watched().filter((one) => one.startsWith('httproutes')).length;

  test('those of a version that is in force no more are let go of, whatever put the newer one in force', async () => {
    cluster = createEngineBehindCluster();
    const on = cluster;
    on.put(open);
    for (const letter of 'abcdefg') on.put(aged(letter, 1, names(letter, 14)));
    await on.start();
    await expect.poll(() => routesOf(on)).toBe(98);
    for (const letter of 'abcdefg') on.put(aged(letter, 1, [`${letter}-new`], late));
    await expect.poll(() => routesOf(on)).toBe(105);
    on.put({
      apiVersion: 'portcullis.dev/v1alpha1',
      kind: 'IdentityProvider',
      metadata: { name: 'late', namespace: 'shop' },
      spec: { type: 'JWT', jwt: { issuer: 'https://issuer.example', audiences: ['a'] } },
    });
    await expect.poll(() => routesOf(on), { timeout: 5000 }).toBe(7);
    expect(await verdict(on, 'other.example')).toBe('allow');
  });

  test.each(['Enforce', 'Shadow'])(
    'that of a version in force stays reserved while a newer one is refused that is in mode %s',
    async (mode) => {
      cluster = createEngineBehindCluster();
      const on = cluster;
      on.put(open);
      on.put(route('pay'));
      on.put(aged('pay', 1, ['pay']));
      for (const letter of 'abcdefg') on.put(aged(letter, 50, names(letter, 16)));
      await on.start();
      await expect.poll(() => verdict(on, 'pay.example')).toBe('route_unknown');
      on.put(aged('pay', 1, ['pay'], { mode, ...late }));
      await expect
        .poll(() => on.engine.documentStatus('AccessPolicy shop/pay'))
        .toMatchObject({ serving: 'last-good' });
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect([await verdict(on, 'pay.example'), await verdict(on, 'other.example')]).toEqual([
        'route_unknown',
        'route_unknown',
      ]);
      expect(on.watched()).toContain('httproutes metadata.name=pay');
    },
  );
});
