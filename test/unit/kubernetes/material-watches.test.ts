import { afterEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import {
  createEngineBehindCluster,
  type EngineBehindCluster,
  type WrittenObject,
} from '../../support/kubernetes/engine-behind-cluster.ts';
import { noNetwork, silentNetwork } from '../../support/networks.ts';
import { rawRequest } from '../../support/raw-request.ts';

let cluster: EngineBehindCluster | undefined;
afterEach(() => cluster?.close());

const ours = (kind: 'AccessPolicy' | 'IdentityProvider', name: string, spec: JsonObject): WrittenObject => ({
  apiVersion: 'portcullis.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'shop' },
  spec,
});
const provider = (name: string, labels: Readonly<Record<string, string>>): WrittenObject =>
  ours('IdentityProvider', name, {
    type: 'APIKey',
    apiKey: { from: [{ header: `x-${name}` }], secretSelector: { matchLabels: labels } },
  });
const policy = (...providers: readonly string[]): WrittenObject =>
  ours('AccessPolicy', 'orders', {
    hosts: ['a.example'],
    authentication: { providers: providers.map((name) => ({ name })) },
    rules: [{ name: 'r', matches: [{ path: { type: 'PathPrefix', value: '/' } }], access: 'Authenticated' }],
  });
const keyOf = (version: number): string => `k${version}-0123456789abcdef-0123456789abcdef`;
const secret = (version: number, labels = { client: '1', gold: '1' }): WrittenObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'acme', namespace: 'shop', labels },
  data: { 'api-key': Buffer.from(keyOf(version)).toString('base64') },
});

/** How many keys were made so far, of which each is asked for. */
const versions = [0, 1, 2];

/** The providers that let in whoever has the key, for each of the keys: `all gold`, one of them, or none. */
async function accepted({ engine }: EngineBehindCluster): Promise<readonly string[]> {
  const by = async (name: string, version: number): Promise<string> => {
    const headers = [[`x-${name}`, keyOf(version)] as const];
    const decision = await engine.check(rawRequest({ host: 'a.example', headers }));
    return decision.kind === 'allow' ? name : '';
  };
  const ask = async (version: number): Promise<string> =>
    [await by('all', version), await by('gold', version)].filter((name) => name !== '').join(' ');
  return Promise.all(versions.map(ask));
}

/** One Secret that two providers select by different labels: each by a watch of its own. */
async function startBoth(): Promise<EngineBehindCluster> {
  const on = createEngineBehindCluster();
  cluster = on;
  on.put(secret(0));
  on.put(provider('all', { client: '1' }));
  on.put(provider('gold', { gold: '1' }));
  on.put(policy('all', 'gold'));
  await on.start();
  await expect.poll(() => accepted(on)).toEqual(['all gold', '', '']);
  await expect.poll(() => on.watched()).toEqual(expect.arrayContaining(['secrets client=1', 'secrets gold=1']));
  return on;
}

/** Long enough for whatever was told to be in force. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

describe('a Secret that is followed by two watches, one of them far behind', () => {
  test('is gone at once for those whose watch says so, and for the others when theirs does', async () => {
    const on = await startBoth();
    const gold = on.hold('secrets gold=1');
    on.remove('Secret shop/acme');
    await expect.poll(() => accepted(on)).toEqual(['gold', '', '']);
    gold.next();
    await expect.poll(() => accepted(on)).toEqual(['', '', '']);
  });

  test('is not taken back by what the other watch says later of older versions', async () => {
    const on = await startBoth();
    const gold = on.hold('secrets gold=1');
    for (const version of [1, 2]) on.put(secret(version));
    await expect.poll(() => accepted(on)).toEqual(['gold', '', 'all']);
    gold.next();
    await expect.poll(() => accepted(on)).toEqual(['', 'gold', 'all']);
    gold.next();
    await expect.poll(() => accepted(on)).toEqual(['', '', 'all gold']);
  });

  test('that was deleted is not brought back by an older event of the other', async () => {
    const on = await startBoth();
    const gold = on.hold('secrets gold=1');
    on.put(secret(1));
    on.remove('Secret shop/acme');
    await expect.poll(() => accepted(on)).toEqual(['gold', '', '']);
    gold.next();
    await expect.poll(() => accepted(on)).toEqual(['', 'gold', '']);
    gold.next();
    await expect.poll(() => accepted(on)).toEqual(['', '', '']);
  });

  test('that was made anew under its name is the new one for each that heard of it, and stays it', async () => {
    const on = await startBoth();
    const gold = on.hold('secrets gold=1');
    on.remove('Secret shop/acme');
    on.put(secret(1));
    await expect.poll(() => accepted(on)).toEqual(['gold', 'all', '']);
    gold.next();
    await expect.poll(() => accepted(on)).toEqual(['', 'all', '']);
    gold.next();
    await expect.poll(() => accepted(on)).toEqual(['', 'all gold', '']);
  });

  test('that lost one label is gone for the selector that asks for it, and stays for the other', async () => {
    const on = await startBoth();
    on.put(secret(0, { client: '1', gold: '0' }));
    await expect.poll(() => accepted(on)).toEqual(['all', '', '']);
  });

  test('stays for the one that still follows it where the other does not any more', async () => {
    const on = await startBoth();
    on.put(policy('all'));
    on.remove('IdentityProvider shop/gold');
    await expect.poll(() => on.watched().includes('secrets gold=1')).toBe(false);
    await settled();
    expect(await accepted(on)).toEqual(['all', '', '']);
    on.remove('Secret shop/acme');
    await expect.poll(() => accepted(on)).toEqual(['', '', '']);
  });

  test('that was deleted while its watch said nothing is gone with the list after it, for that watch alone', async () => {
    const on = await startBoth();
    const gold = on.hold('secrets gold=1');
    on.hold('secrets client=1');
    on.remove('Secret shop/acme');
    await settled();
    expect(await accepted(on)).toEqual(['all gold', '', '']);
    on.cut('secrets client=1');
    await expect.poll(() => accepted(on), { timeout: 3000 }).toEqual(['gold', '', '']);
    gold.next();
    await expect.poll(() => accepted(on)).toEqual(['', '', '']);
  });
});

describe('a provider that selects by other labels from now on', () => {
  test('has its Secrets from the beginning: nobody is turned away in between', async () => {
    const on = await startBoth();
    const answer = on.delayLists('secrets client=1,gold=1');
    on.put(provider('all', { client: '1', gold: '1' }));
    await settled();
    expect(await accepted(on)).toEqual(['all gold', '', '']);
    answer();
    const verdicts = new Set<string>();
    for (const end = Date.now() + 150; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 1)))
      verdicts.add((await accepted(on)).join());
    expect([...verdicts]).toEqual(['all gold,,']);
    expect(on.watched()).toEqual(expect.arrayContaining(['secrets client=1,gold=1']));
    // The control: the new selector decides.
    on.put(secret(0, { client: '1', gold: '0' }));
    await expect.poll(() => accepted(on)).toEqual(['', '', '']);
  });
});

describe('a Secret that is deleted', () => {
  test.each([
    ['does not answer', silentNetwork],
    ['cannot be reached', noNetwork],
  ])('waits for no new provider whose issuer %s', async (_what, network) => {
    const on = createEngineBehindCluster(network);
    cluster = on;
    on.put(secret(0));
    on.put(provider('all', { client: '1' }));
    on.put(policy('all'));
    await on.start();
    await expect.poll(() => accepted(on)).toEqual(['all', '', '']);
    const jwt = { issuer: 'https://idp.example', audiences: ['api'] };
    on.put(ours('IdentityProvider', 'slow', { type: 'JWT', jwt }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const begun = performance.now();
    on.remove('Secret shop/acme');
    await expect.poll(() => accepted(on), { interval: 5 }).toEqual(['', '', '']);
    // A new provider may keep changes waiting for a second.
    expect(performance.now() - begun).toBeLessThan(500);
  });
});
