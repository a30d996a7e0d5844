import { afterEach, describe, expect, test } from 'vitest';
import type { DocumentStatus, DocumentVersion } from '../../../src/core/status.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';
import { clusterDocuments } from '../../support/cluster-document.ts';
import { createDecisionStand, type DecisionStand, type StandOptions } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest, type RawRequestParts } from '../../support/raw-request.ts';

/** On whose hosts a policy in shadow mode is judged, and so shown credentials (S9, S10). */
let stand: DecisionStand | undefined;
afterEach(() => stand?.close());

type Source = 'cluster' | 'files';

/** What documents there are, by their text; each call is one change. */
interface World {
  readonly on: DecisionStand;
  put(...yaml: string[]): Promise<unknown>;
  take(yaml: string): Promise<unknown>;
  edit(before: string, after: string): Promise<unknown>;
}

async function startWorld(source: Source, options: StandOptions = {}): Promise<World> {
  stand?.close();
  const on = (stand = await createDecisionStand([], options));
  // What did not change stays the same object, so that a reading is a change of what did.
  const files = new Map<string, readonly AuthorDocument[]>();
  const documents = (yaml: readonly string[]): readonly AuthorDocument[] =>
    yaml.flatMap((one) => clusterDocuments(one));
  const change = (added: readonly string[], gone: readonly string[], isEdit = false): Promise<unknown> => {
    for (const one of gone) files.delete(one);
    for (const one of added) files.set(one, documentsOf(one));
    if (source === 'files') return on.apply([...files.values()].flat());
    return on.engine.applyChange({ changed: documents(added), removed: isEdit ? [] : documents(gone) });
  };
  return {
    on,
    put: (...yaml) => change(yaml, []),
    take: (yaml) => change([], [yaml]),
    edit: (before, after) => change([after], [before], true),
  };
}

const all = 'matches: [{path: {type: PathPrefix, value: /}}]';
const open = `rules: [{name: open, access: Public, ${all}}]`;
const asking = `authentication: {providers: [{name: trap}]}, rules: [{name: ask, access: Authenticated, ${all}}]`;
const policy = (id: string, spec: string): string => {
  const [namespace = '', name = ''] = id.split('/');
  return `apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {${spec}}\n`;
};
const shadow = (id: string, hosts: string): string => policy(id, `mode: Shadow, hosts: [${hosts}], ${asking}`);
/** An issuer that is asked about every token that no other provider knows. */
const trap = (namespace: string): string => `apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: trap, namespace: ${namespace}}
spec:
  type: Introspection
  introspection:
    endpoint: https://${namespace}.example/collect
    issuer: https://${namespace}.example
    audiences: [a]
    clientAuthentication: {method: Basic, secretRef: {name: client}}
---
apiVersion: v1
kind: Secret
metadata: {name: client, namespace: ${namespace}}
stringData: {client_id: x, client_secret: y}
`;
const target = (name: string): string =>
  `targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: ${name}}]`;

/** The shadows that were judged, and who was asked about the token of the request. */
async function seen({ on }: World, parts: RawRequestParts | string): Promise<readonly string[]> {
  const before = on.sentTo.length;
  const request = typeof parts === 'string' ? { host: parts } : parts;
  const decision = await on.engine.check(rawRequest({ token: 'opaque-token', ...request }));
  const judged = (decision.about.shadow ?? []).map(({ policy: id }) => id);
  return [...judged, ...on.sentTo.slice(before)];
}

function statusOf({ on }: World, id: string): DocumentStatus | undefined {
  return on.engine.documentStatus(`AccessPolicy ${id}`);
}

const conflictsOf = (world: World, id: string): readonly string[] =>
  (statusOf(world, id)?.conflicts ?? []).map(({ host, owner }) => `${host} ${owner}`);

const endpoint = 'https://mallory.example/collect';
const owner = policy('shop/orders', `hosts: [api.example], ${open}`);
const watch = shadow('mallory/watch', 'api.example, mallory.example');
const enforced = watch.replace('mode: Shadow', 'mode: Enforce');
const slipped = watch.replace('mode: Shadow', 'mode: Shadow, slip: 1');
const shopWatch = shadow('shop/watch', 'api.example');
const grants = { shop: ['api.example'], mallory: ['mallory.example'] };

describe('S10 a policy in shadow mode is judged on no host of another namespace, and shown no credential there', () => {
  test.each<[Source, string, StandOptions]>([
    ['cluster', 'without grants', {}],
    ['cluster', 'with grants', { hostGrants: grants }],
    ['files', 'without grants', {}],
    ['files', 'with grants', { hostGrants: grants }],
  ])('in %s, %s', async (source, _, options) => {
    const world = await startWorld(source, options);
    await world.put(trap('mallory'), trap('shop'), owner, watch, shopWatch);
    expect(await seen(world, 'api.example')).toEqual(['shop/watch', 'https://shop.example/collect']);
    expect(statusOf(world, 'mallory/watch')).toMatchObject({ accepted: true, serving: 'current', problems: [] });
    expect(conflictsOf(world, 'mallory/watch')).toEqual(['api.example shop']);
    // The controls: on its own hosts it is, and so is the owner's.
    expect(await seen(world, 'mallory.example')).toEqual(['mallory/watch', endpoint]);
    expect(conflictsOf(world, 'shop/watch')).toEqual([]);
    expect(world.on.log.filter(({ message }) => message === 'a policy does not own all of its hosts')).toHaveLength(1);
  });

  test.each<Source>(['cluster', 'files'])(
    'in %s it loses the host when an owner comes, and has it back',
    async (source) => {
      const world = await startWorld(source);
      const wide = policy('shop/wide', `hosts: ["*.example"], ${open}`);
      await world.put(trap('mallory'), watch);
      expect(await seen(world, 'api.example')).toEqual(['mallory/watch', endpoint]);
      for (const coming of [owner, wide]) {
        await world.put(coming);
        expect(await seen(world, 'api.example')).toEqual([]);
        expect(conflictsOf(world, 'mallory/watch')).toContain('api.example shop');
        await world.take(coming);
        expect(await seen(world, 'api.example')).toEqual(['mallory/watch', endpoint]);
        expect(conflictsOf(world, 'mallory/watch')).toEqual([]);
      }
    },
  );

  test('nor below its wildcard, where others govern', async () => {
    const world = await startWorld('cluster');
    await world.put(trap('mallory'), shadow('mallory/watch', '"*.example"'), owner);
    expect(await seen(world, 'api.example')).toEqual([]);
    expect(await seen(world, 'deep.api.example')).toEqual(['mallory/watch', endpoint]);
    await world.put(shadow('mallory/all', '"*"'));
    expect(conflictsOf(world, 'mallory/all')).toEqual(['* undefined']);
    expect(await seen(world, 'other.org')).toEqual([]);
    // The control: with a grant.
    const granted = await startWorld('cluster', { hostGrants: { mallory: ['*'] } });
    await granted.put(trap('mallory'), shadow('mallory/all', '"*"'));
    expect(await seen(granted, 'other.org')).toEqual(['mallory/all', endpoint]);
  });

  test('a refused policy has its hosts too', async () => {
    const world = await startWorld('cluster');
    await world.put(trap('mallory'), watch, policy('shop/orders', `hosts: [api.example], slip: 1, ${open}`));
    expect(await seen(world, 'api.example')).toEqual([]);
    expect(conflictsOf(world, 'mallory/watch')).toEqual(['api.example shop']);
  });

  test('a policy that is older takes nothing as a shadow, and does as soon as it is enforced', async () => {
    const world = await startWorld('cluster');
    const of = (yaml: string, version: Partial<DocumentVersion>): Promise<unknown> =>
      world.on.engine.applyChange({ changed: clusterDocuments(yaml, version), removed: [] });
    await world.put(trap('mallory'));
    await of(watch, { createdAt: 1 });
    await of(owner, { createdAt: 2 });
    expect(await seen(world, 'api.example')).toEqual([]);
    await of(enforced, { createdAt: 1, generation: 2 });
    expect(await seen(world, 'api.example')).toEqual([endpoint]);
  });

  test('a policy attached by name or to a route is judged where the proxy says so, whatever the hostnames are', async () => {
    const world = await startWorld('cluster');
    const httpRoute =
      'apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: mallory}\nspec: {hostnames: [api.example]}\n';
    await world.put(
      trap('mallory'),
      owner,
      httpRoute,
      policy('mallory/routed', `mode: Shadow, ${target('r')}, ${asking}`),
      policy('mallory/named', `mode: Shadow, attachment: Named, ${asking}`),
    );
    const at = (namespace: string): RawRequestParts => ({
      host: 'api.example',
      route: { kind: 'HTTPRoute', namespace, name: 'r', section: '', annotations: new Map() },
    });
    const name = (id: string): RawRequestParts => ({
      host: 'api.example',
      contextExtensions: { 'portcullis.dev/policy': id },
    });
    for (const theirs of ['api.example', at('shop'), name('shop/orders')])
      expect(await seen(world, theirs)).toEqual([]);
    // What would go to its own service, and where the operator names it.
    expect(await seen(world, at('mallory'))).toEqual(['mallory/routed', endpoint]);
    expect(await seen(world, name('mallory/named'))).toEqual(['mallory/named', endpoint]);
  });

  test.each<Source>(['cluster', 'files'])('in %s an edit that is refused keeps it from them too', async (source) => {
    const world = await startWorld(source);
    await world.put(trap('mallory'), watch);
    await world.put(owner);
    await world.edit(watch, slipped);
    expect(statusOf(world, 'mallory/watch')).toMatchObject({ accepted: false, serving: 'last-good' });
    expect(await seen(world, 'api.example')).toEqual([]);
    expect(await seen(world, 'mallory.example')).toEqual(['mallory/watch', endpoint]);
  });

  test('an enforced policy whose edit to shadow mode is refused decides on its own hosts, and nowhere else', async () => {
    const world = await startWorld('cluster');
    await world.put(trap('mallory'), owner.replace('shop', 'a-shop'), enforced);
    await world.edit(enforced, slipped);
    expect(statusOf(world, 'mallory/watch')).toMatchObject({ accepted: false, serving: 'last-good' });
    expect(await seen(world, 'api.example')).toEqual([]);
    expect(await seen(world, 'mallory.example')).toEqual([endpoint]);
  });

  test('a cluster policy in shadow mode is judged on every host that it covers', async () => {
    const world = await startWorld('cluster');
    const floor =
      'apiVersion: portcullis.dev/v1alpha1\nkind: ClusterAccessPolicy\nmetadata: {name: floor}\nspec: {mode: Shadow, hosts: [api.example], addresses: {deny: [127.0.0.0/8]}}\n';
    await world.put(owner, floor);
    expect(await seen(world, 'api.example')).toEqual(['floor']);
    expect(await seen(world, 'mallory.example')).toEqual([]);
  });

  test('with --shadow-all hosts have the owners that they have without', async () => {
    const world = await startWorld('cluster', { shadowAll: true });
    await world.put(trap('mallory'), trap('a-shop'), owner.replace('shop', 'a-shop').replace(open, asking), enforced);
    expect(await seen(world, 'api.example')).toEqual(['a-shop/orders', 'https://a-shop.example/collect']);
    expect(await seen(world, 'mallory.example')).toEqual(['mallory/watch', endpoint]);
    await world.put(shadow('mallory/other', 'api.example'));
    expect(await seen(world, 'api.example')).toEqual(['a-shop/orders', 'https://a-shop.example/collect']);
  });
});

test('S9 in files a policy that goes into shadow mode gives its hosts up to who waits for them, and is not kept in force', async () => {
  const world = await startWorld('files');
  const inForce = shopWatch.replace('mode: Shadow', 'mode: Enforce');
  const waiting = policy('other/b', `hosts: [api.example], ${open}`);
  await world.put(trap('shop'), inForce);
  await world.put(waiting);
  expect(statusOf(world, 'other/b')).toMatchObject({ accepted: false });
  await world.edit(inForce, shopWatch);
  expect([statusOf(world, 'shop/watch')?.accepted, statusOf(world, 'other/b')?.accepted]).toEqual([true, true]);
  expect(conflictsOf(world, 'shop/watch')).toEqual(['api.example other']);
  expect(await seen(world, 'api.example')).toEqual([]);
});
