import { afterEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import {
  createEngineBehindCluster,
  type EngineBehindCluster,
  type WrittenObject,
} from '../../support/kubernetes/engine-behind-cluster.ts';
import { silentNetwork } from '../../support/networks.ts';
import { rawRequest } from '../../support/raw-request.ts';

let cluster: EngineBehindCluster | undefined;
afterEach(() => cluster?.close());

const documentOf = (kind: 'AccessPolicy' | 'IdentityProvider', namespace: string, name: string, spec: JsonObject) => ({
  apiVersion: 'portcullis.dev/v1alpha1',
  kind,
  metadata: { name, namespace },
  spec,
});
const all = [{ path: { type: 'PathPrefix', value: '/' } }];
const orders = (access: string): WrittenObject =>
  documentOf('AccessPolicy', 'shop', 'orders', { hosts: ['a.example'], rules: [{ name: 'r', matches: all, access }] });
const silent = (namespace: string, version: number): WrittenObject =>
  documentOf('IdentityProvider', namespace, 'p', {
    type: 'JWT',
    jwt: { issuer: `https://silent.example/${version}`, audiences: ['x'] },
  });
const apiKeys = (namespace: string): WrittenObject =>
  documentOf('IdentityProvider', namespace, 'keys', {
    type: 'APIKey',
    apiKey: { from: [{ header: 'x-key' }], secretSelector: { matchLabels: { client: '1' } } },
  });
const secret = (namespace: string, name: string): WrittenObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace, labels: { client: '1' } },
  data: { 'api-key': Buffer.from(key).toString('base64') },
});
const key = 'key-0123456789abcdef-0123456789abcdef';

async function isAllowed({ engine }: EngineBehindCluster, host: string): Promise<boolean> {
  const decision = await engine.check(rawRequest({ host, headers: [['x-key', key]] }));
  return decision.kind === 'allow';
}

async function timeUntilDenied(on: EngineBehindCluster, host: string): Promise<number> {
  const since = performance.now();
  await expect.poll(() => isAllowed(on, host), { interval: 5, timeout: 3000 }).toBe(false);
  return performance.now() - since;
}

describe('promise 4: what takes access away does not wait for the issuer of another namespace', () => {
  test('a policy that is closed', async () => {
    cluster = createEngineBehindCluster(silentNetwork);
    const on = cluster;
    on.put(orders('Public'));
    await on.start();
    on.put(silent('team-b', 1));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await isAllowed(on, 'a.example')).toBe(true);
    on.put(orders('Denied'));
    expect(await timeUntilDenied(on, 'a.example')).toBeLessThan(400);
  });

  test('the Secret of a client, while another namespace adds Secrets of its own', async () => {
    cluster = createEngineBehindCluster(silentNetwork);
    const on = cluster;
    on.put(apiKeys('shop'));
    on.put(apiKeys('team-b'));
    on.put(
      documentOf('AccessPolicy', 'shop', 'keyed', {
        hosts: ['k.example'],
        authentication: { providers: [{ name: 'keys' }] },
        rules: [{ name: 'r', matches: all, access: 'Authenticated' }],
      }),
    );
    on.put(secret('shop', 'a'));
    await on.start();
    expect(await isAllowed(on, 'k.example')).toBe(true);
    on.put(silent('team-b', 1));
    await new Promise((resolve) => setTimeout(resolve, 100));
    on.put(secret('team-b', 'more'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    on.remove('Secret shop/a');
    expect(await timeUntilDenied(on, 'k.example')).toBeLessThan(400);
  });

  test('once an issuer was waited for in vain, edits of its provider hold nothing up', async () => {
    cluster = createEngineBehindCluster(silentNetwork);
    const on = cluster;
    await on.start();
    const edit = async (audience: string): Promise<number> => {
      const since = performance.now();
      const served = (): number | undefined => on.engine.documentStatus('IdentityProvider shop/q')?.servedGeneration;
      const before = served() ?? 0;
      on.put(
        documentOf('IdentityProvider', 'shop', 'q', {
          type: 'JWT',
          jwt: { issuer: 'https://silent.example', audiences: [audience] },
        }),
      );
      await expect.poll(served, { interval: 5, timeout: 3000 }).toBe(before + 1);
      return performance.now() - since;
    };
    expect(await edit('first')).toBeGreaterThan(700);
    expect(await edit('second')).toBeLessThan(400);
  });
});
