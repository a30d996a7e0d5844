import { generateKeyPairSync } from 'node:crypto';
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

function stand(objects: readonly WrittenObject[]): EngineBehindCluster {
  const cluster = createEngineBehindCluster();
  clusters.push(cluster);
  for (const object of objects) cluster.put(object);
  return cluster;
}

const gateway = 'gateway.networking.k8s.io';
const all = [{ path: { type: 'PathPrefix', value: '/' } }];
const ours = (kind: 'AccessPolicy' | 'IdentityProvider', name: string, spec: JsonObject): WrittenObject => ({
  apiVersion: 'portcullis.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec,
});
const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function verdict(
  { engine }: EngineBehindCluster,
  host: string,
  headers: readonly (readonly [string, string])[] = [],
): Promise<string> {
  const decision = await engine.check(rawRequest({ host, headers }));
  return decision.kind === 'allow' ? 'allow' : decision.denial.code;
}

describe('S7: a route that a policy is attached to', () => {
  const targetRefs = [{ group: gateway, kind: 'HTTPRoute', name: 'pay', sectionName: 'buy' }];
  const shop = [
    ours('AccessPolicy', 'wide', { hosts: ['*.shop.example'], rules: [{ name: 'r', matches: all, access: 'Public' }] }),
    ours('AccessPolicy', 'pay', { targetRefs, rules: [{ name: 'r', matches: all, access: 'Denied' }] }),
  ];
  const route = (more: JsonObject = {}, metadata: Partial<WrittenObject['metadata']> = {}): WrittenObject => ({
    apiVersion: `${gateway}/v1`,
    kind: 'HTTPRoute',
    metadata: { name: 'pay', namespace: 'shop', ...metadata },
    spec: { hostnames: ['pay.shop.example'], rules: [{ name: 'buy' }], ...more },
  });
  const hosts = ['pay.shop.example', 'other.shop.example'];
  const verdicts = (on: EngineBehindCluster): Promise<readonly string[]> =>
    Promise.all(hosts.map((host) => verdict(on, host)));
  const refs = (on: EngineBehindCluster): string | undefined =>
    on.conditions('AccessPolicy shop/pay')['ResolvedRefs']?.split(';')[0];
  const filters = Array.from({ length: 300 }, () => ({ type: 'x'.repeat(1000) }));

  test.each([
    ['annotations', route({}, { annotations: { note: 'x'.repeat(300_000) } })],
    ['managedFields', route({}, { managedFields: [{ fieldsV1: { junk: 'x'.repeat(300_000) } }] })],
    ['rules', route({ rules: [{ name: 'buy', filters }, { filters }] })],
  ])('keeps its hostnames, and its rules their names, however large its %s are', async (_what, large) => {
    const elder = stand([...shop, route()]);
    await elder.start();
    elder.put(large);
    const young = stand([...shop, large]);
    await young.start();
    for (const on of [elder, young]) {
      await expect.poll(() => verdicts(on)).toEqual(['route_unknown', 'allow']);
      expect(refs(on)).toBe('True ResolvedRefs: Everything that it refers to is there.');
    }
  });

  test('closes the hosts of its namespace while it cannot be read, on every replica, and is named in status', async () => {
    const large = route({ parentRefs: Array.from({ length: 300 }, () => ({ name: 'x'.repeat(1000) })) });
    const elder = stand([...shop, route()]);
    await elder.start();
    await expect.poll(() => verdicts(elder)).toEqual(['route_unknown', 'allow']);
    elder.put(large);
    const young = stand([...shop, large]);
    await young.start();
    for (const on of [elder, young]) {
      await expect.poll(() => verdicts(on)).toEqual(['route_unknown', 'route_unknown']);
      expect(refs(on)).toBe(
        'False TargetNotReadable: HTTPRoute shop/pay, rule buy cannot be read: its hostnames, parents or rules are more than can be read',
      );
      on.put(route());
      await expect.poll(() => verdicts(on)).toEqual(['route_unknown', 'allow']);
      expect(refs(on)).toBe('True ResolvedRefs: Everything that it refers to is there.');
    }
  });
});

describe('decision 25: the ConfigMap of a provider', () => {
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const good = { 'jwks.json': JSON.stringify({ keys: [{ ...jwk, kid: 'a', alg: 'ES256', use: 'sig' }] }) };
  const many = Object.fromEntries(Array.from({ length: 1100 }, (_, index) => [`key-${index}`, 'x'.repeat(80)]));
  const map = (data?: JsonObject): WrittenObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'keys', namespace: 'shop' },
    ...(data === undefined ? {} : { data }),
  });
  const jwks = { configMapRef: { name: 'keys', key: 'jwks.json' } };
  const provider = ours('IdentityProvider', 'jwt', {
    type: 'JWT',
    jwt: { issuer: 'https://issuer.example', audiences: ['a'], jwks },
  });
  const key = 'IdentityProvider shop/jwt';
  const refs = (on: EngineBehindCluster): string | undefined => on.conditions(key)['ResolvedRefs'];
  const why = 'the ConfigMap shop/keys cannot be read: it has more keys, or is larger, than can be read';

  test.each([
    ['after the good one', []],
    ['after one that was too large', [map(many)]],
  ])('that is emptied %s leaves nothing in force', async (_when, between) => {
    const on = stand([provider, map(good)]);
    await on.start();
    expect([on.engine.providerCondition(key)?.keys, refs(on)?.slice(0, 17)]).toEqual([1, 'True ResolvedRefs']);
    for (const one of between) {
      on.put(one);
      await expect.poll(() => refs(on)).toBe(`False RefNotReadable: ${why}`);
    }
    on.put(map());
    await expect.poll(() => on.engine.providerCondition(key)?.keys).toBe(0);
    expect(refs(on)).toBe('False RefNotFound: the ConfigMap shop/keys has no key jwks.json');
  });

  test('that is too large leaves what was there before in force and says so; a replica that starts has nothing and says so', async () => {
    const elder = stand([provider, map(good)]);
    await elder.start();
    elder.put(map(many));
    await expect
      .poll(() => elder.engine.providerCondition(key)?.unusable)
      .toBe(
        'the ConfigMap shop/keys cannot be read, and what it held before stays in force: it has more keys, or is larger, than can be read',
      );
    expect([elder.engine.providerCondition(key)?.keys, refs(elder)]).toEqual([1, `False RefNotReadable: ${why}`]);
    const young = stand([provider, map(many)]);
    await young.start();
    expect([young.engine.providerCondition(key)?.keys, refs(young)]).toEqual([0, `False RefNotReadable: ${why}`]);
    elder.put(map(good));
    await expect.poll(() => elder.engine.providerCondition(key)?.unusable).toBe(undefined);
    expect(refs(elder)?.slice(0, 17)).toBe('True ResolvedRefs');
  });
});

describe('the Secret of a client', () => {
  const apiKey = 'kkkkkkkkkkabcdefghijklmnopqrstuvwxyz012345';
  const secret = (name: string, junk: number, more: Partial<WrittenObject['metadata']> = {}): WrittenObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'shop', labels: { app: 'shop' }, ...more },
    data: { 'api-key': base64(apiKey), junk: 'x'.repeat(junk) },
  });
  const other = (index: number): WrittenObject => ({
    ...secret(`other${index}`, 12_000),
    data: { 'api-key': base64(`${apiKey}${index}`) },
  });
  const shop = [
    ours('IdentityProvider', 'keys', {
      type: 'APIKey',
      apiKey: { from: [{ header: 'x-api-key' }], secretSelector: { matchLabels: { app: 'shop' } } },
    }),
    ours('AccessPolicy', 'p', {
      hosts: ['shop.example'],
      authentication: { providers: [{ name: 'keys' }] },
      rules: [{ name: 'all', matches: all, access: 'Authenticated' }],
    }),
  ];
  const ask = (on: EngineBehindCluster): Promise<string> => verdict(on, 'shop.example', [['x-api-key', apiKey]]);
  const problem = (on: EngineBehindCluster): string | undefined =>
    on.engine.providerCondition('IdentityProvider shop/keys')?.lastError;
  const others = Array.from({ length: 40 }, (_, index) => other(index));

  test.each([
    ['more than 16 KiB of data', secret('acme', 20_000), 'credential_unknown', 'Secret acme: it is larger than 16 KiB'],
    [
      'more than 16 KiB of labels',
      secret('acme', 0, {
        labels: {
          ...Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`l${index}`, 'x'.repeat(60)])),
          app: 'shop',
        },
      }),
      'credential_unknown',
      'Secret acme: it is larger than 16 KiB',
    ],
    ['less data', secret('acme', 10_000), 'allow', undefined],
    ['annotations of others', secret('acme', 10, { annotations: { note: 'x'.repeat(200_000) } }), 'allow', undefined],
  ])('with %s counts the same by a watch, by a small list and by a large one', async (_what, one, expected, why) => {
    const [watching, small, large] = [stand(shop), stand([...shop, one]), stand([...shop, one, ...others])];
    for (const on of [watching, small, large]) await on.start();
    watching.put(one);
    for (const on of [watching, small, large]) {
      await expect.poll(() => ask(on)).toBe(expected);
      expect(problem(on)).toBe(why);
    }
  });

  test('holds its key where it is too large, also on a replica that starts after', async () => {
    const elder = stand([...shop, secret('acme', 10)]);
    await elder.start();
    expect(await ask(elder)).toBe('allow');
    elder.put(secret('copy', 10));
    await expect.poll(() => ask(elder)).toBe('credential_unknown');
    const large = secret('acme', 20_000);
    elder.put(large);
    await expect.poll(() => problem(elder)).toContain('Secret acme: it is larger than 16 KiB');
    const young = stand([...shop, large, secret('copy', 10)]);
    await young.start();
    for (const on of [elder, young]) {
      expect([await ask(on), problem(on)]).toEqual([
        'credential_unknown',
        'Secret acme: it is larger than 16 KiB; Secrets acme, copy have the same API key, so that it works for none of them',
      ]);
      on.remove('Secret shop/acme');
      await expect.poll(() => ask(on)).toBe('allow');
    }
  });
});

describe('a policy near the bound', () => {
  const accepted = (on: EngineBehindCluster): string | undefined => on.conditions('AccessPolicy shop/p')['Accepted'];
  const rules = (length: number): readonly JsonObject[] =>
    Array.from({ length: 64 }, (_, index) => ({
      name: `r${index}`,
      matches: Array.from({ length: 16 }, (_, at) => ({
        path: { type: 'Exact', value: `/${index}/${at}/${'x'.repeat(length)}` },
      })),
      access: 'Public',
    }));
  const policy = (length: number, more: Partial<WrittenObject> = {}): WrittenObject => ({
    ...ours('AccessPolicy', 'p', { hosts: ['shop.example'], rules: rules(length) }),
    ...more,
  });
  const status = { problems: [{ message: 'x'.repeat(60_000) }] };

  test.each([
    ['stays accepted', 190, 'True Accepted', 'no_rule'],
    ['that is larger stays refused', 250, 'False Invalid', 'policy_invalid'],
  ])('%s when status and what kubectl writes beside come to it', async (_what, length, expected, code) => {
    const written = policy(length);
    expect(JSON.stringify(written.spec).length < 256 * 1024).toBe(expected === 'True Accepted');
    const applied = { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(written) } };
    const on = stand([written]);
    await on.start();
    for (const more of [{}, { status }, { metadata: { ...written.metadata, ...applied } }, {}]) {
      on.put(policy(length, more));
      const young = stand([policy(length, more)]);
      await young.start();
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (const one of [on, young])
        expect([accepted(one)?.slice(0, 13), await verdict(one, 'shop.example')]).toEqual([expected, code]);
    }
  });
});
