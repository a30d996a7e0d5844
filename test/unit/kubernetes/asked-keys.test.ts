import { afterEach, expect, test } from 'vitest';
import {
  createEngineBehindCluster,
  type EngineBehindCluster,
  type WrittenObject,
} from '../../support/kubernetes/engine-behind-cluster.ts';

let cluster: EngineBehindCluster | undefined;
afterEach(() => cluster?.close());

const users = 'alice:$2y$12$0PqF1ZcVJ6Q2dXr1YF0m3OCkZ1Jx5m8m0a7m1uKk0k0Qw1m1v3n9S';
const provider = (name: string, key: string): WrittenObject => ({
  apiVersion: 'portcullis.dev/v1alpha1',
  kind: 'IdentityProvider',
  metadata: { name, namespace: 'shop' },
  spec: { type: 'Basic', basic: { secretRef: { name: 'users', key } } },
});
const secret = (...keys: readonly string[]): WrittenObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'users', namespace: 'shop' },
  data: Object.fromEntries(keys.map((key) => [key, Buffer.from(users).toString('base64')])),
});
/** Of each provider what it lacks. */
const lacks = ({ engine }: EngineBehindCluster): Readonly<Record<string, string>> =>
  Object.fromEntries(engine.status().providers.map(({ key, lastError }) => [key.slice(-1), lastError ?? 'nothing']));
const missing = (key: string): string => `the Secret shop/users has no key ${key}, or is not there`;

test('providers that name one Secret have each its own keys of it, also who comes later or asks for another key, and no others', async () => {
  const on = createEngineBehindCluster();
  cluster = on;
  on.put(secret('one', 'two', 'three'));
  on.put(provider('a', 'one'));
  await on.start();
  expect(lacks(on)).toEqual({ a: 'nothing' });
  on.put(provider('b', 'two'));
  await expect.poll(() => lacks(on)).toEqual({ a: 'nothing', b: 'nothing' });
  on.put(provider('a', 'three'));
  on.put(provider('c', 'four'));
  await expect.poll(() => lacks(on)).toEqual({ a: 'nothing', b: 'nothing', c: missing('four') });
  on.put(secret('one', 'two', 'four'));
  await expect.poll(() => lacks(on)).toEqual({ a: missing('three'), b: 'nothing', c: 'nothing' });
  on.put(provider('a', 'one'));
  await expect.poll(() => lacks(on)).toEqual({ a: 'nothing', b: 'nothing', c: 'nothing' });
  await expect
    .poll(() => on.watched().filter((name) => name.startsWith('secrets')))
    .toEqual(['secrets metadata.name=users']);
});
