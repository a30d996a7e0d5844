import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { installCrds } from '../../support/kubernetes/crds.ts';
import { createServiceAccount } from '../../support/kubernetes/service-account.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import type { ServeProcess } from '../support/serve-process.ts';
import { createServeStand, onePolicy } from './support/serve-stand.ts';

const using = (provider: string): string => `authentication: {providers: [{name: ${provider}}]},`;
const provider = `{apiVersion: portcullis.dev/v1alpha1, kind: IdentityProvider, metadata: {name: idp, namespace: shop}, spec: {type: JWT, jwt: {issuer: "https://idp.example", audiences: [orders], jwks: {configMapRef: {name: keys, key: jwks.json}}}}}`;
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] });
const configMap = (key: string, text: string): string =>
  `{apiVersion: v1, kind: ConfigMap, metadata: {name: keys, namespace: shop}, data: {${key}: ${JSON.stringify(text)}}}`;

describeWithCluster('status before a real API server', () => {
  let cluster: Cluster;
  let kubeconfig: string;
  const stand = createServeStand(
    () => cluster,
    () => kubeconfig,
  );
  const { serve, ask, statusOf, conditionsOf, messageOf, programmed } = stand;

  beforeAll(async () => {
    cluster = await startCluster();
    kubeconfig = await createServiceAccount(cluster);
    await installCrds(cluster);
    for (const namespace of ['shop', 'other']) await cluster.kubectl('create', 'namespace', namespace);
  });
  afterEach(async () => {
    await stand.end();
    const kinds = 'accesspolicies,identityproviders,events,configmaps';
    await cluster.run('kubectl', ['delete', kinds, '--all', '--all-namespaces', '--wait=false']);
    await cluster.run('kubectl', ['delete', 'leases', '--all', '--namespace', 'portcullis', '--wait=false']);
  });
  afterAll(() => cluster?.stop());

  const events = async (name: string): Promise<string> => {
    const fields = ['--field-selector', `involvedObject.name=${name}`, '--namespace', 'shop'];
    const output = 'jsonpath={range .items[*]}{.reason} {end}';
    return (
      await cluster.kubectl('get', 'events', ...fields, '--sort-by=.metadata.resourceVersion', '-o', output)
    ).trim();
  };

  it('names the ConfigMap or the key that a provider refers to and that is missing, also of the policies that use it', async () => {
    const service = await serve('portcullis-0');
    await cluster.apply(provider);
    await cluster.apply(onePolicy('orders', 'api.example', 'Authenticated', using('idp')));
    const resolved = async (): Promise<readonly string[]> => [
      await conditionsOf('identityprovider', 'idp'),
      await messageOf('identityprovider', 'idp', 'ResolvedRefs'),
      await conditionsOf('accesspolicy', 'orders'),
      await messageOf('accesspolicy', 'orders', 'ResolvedRefs'),
    ];
    const answered = 'credentials are answered with 503';
    const becomes = (refs: string, keys: string, message: string, ofPolicy: string, policyMessage: string) =>
      eventually(async () =>
        expect(await resolved()).toEqual([
          `Accepted=True/Accepted ResolvedRefs=${refs} Programmed=True/Programmed KeysLoaded=${keys}`,
          message,
          `Accepted=True/Accepted ResolvedRefs=${ofPolicy} Programmed=True/Programmed`,
          policyMessage,
        ]),
      );
    const missing = (message: string) =>
      becomes(
        'False/RefNotFound',
        'False/KeysMissing',
        message,
        'False/ProviderNotResolved',
        `IdentityProvider shop/idp: ${message}: ${answered}`,
      );
    await missing('the ConfigMap shop/keys does not exist');
    await cluster.apply(configMap('other.json', jwks));
    await missing('the ConfigMap shop/keys has no key jwks.json');
    await cluster.apply(configMap('jwks.json', jwks));
    const there = 'Everything that it refers to is there.';
    await becomes('True/ResolvedRefs', 'True/KeysLoaded', there, 'True/ResolvedRefs', there);
    const columns = (await cluster.kubectl('get', 'identityproviders', '--namespace', 'shop')).split('\n');
    expect(columns.slice(0, 2).map((line) => line.trim().split(/\s+/u).slice(0, 7))).toEqual([
      ['NAME', 'ACCEPTED', 'PROGRAMMED', 'REASON', 'TYPE', 'KEYSLOADED', 'KEYS'],
      ['idp', 'True', 'True', 'Programmed', 'JWT', 'True', '1'],
    ]);
    expect(await ask(service, 'api.example')).toBe('401 credential_missing');
  }, 120_000);

  it('says of a policy that its provider has no usable keys, as long as it has none', async () => {
    await cluster.apply(configMap('jwks.json', jwks));
    await cluster.apply(provider);
    await cluster.apply(onePolicy('orders', 'api.example', 'Authenticated', using('idp')));
    await serve('portcullis-0');
    await programmed('orders');
    const becomes = (resolved: string) =>
      eventually(
        async () => expect(await conditionsOf('accesspolicy', 'orders')).toContain(`ResolvedRefs=${resolved} `),
        60_000,
      );
    await becomes('True/ResolvedRefs');
    await stand.end();
    await cluster.apply(configMap('jwks.json', '{"keys": '));
    await serve('portcullis-1');
    await becomes('False/ProviderNotResolved');
    expect(await messageOf('accesspolicy', 'orders', 'ResolvedRefs')).toMatch(
      /^IdentityProvider shop\/idp: none of its keys is in use: .+: such a provider vouches for nobody$/u,
    );
    await cluster.apply(configMap('jwks.json', jwks));
    await becomes('True/ResolvedRefs');
  }, 180_000);

  it('says what happens to requests of a policy whose provider was deleted', async () => {
    const service = await serve('portcullis-0');
    await cluster.apply(configMap('jwks.json', jwks));
    await cluster.apply(provider);
    await cluster.apply(onePolicy('orders', 'api.example', 'Authenticated', using('idp')));
    await programmed('orders');
    await cluster.kubectl('delete', 'identityprovider', 'idp', '--namespace', 'shop');
    await eventually(async () =>
      expect(await conditionsOf('accesspolicy', 'orders')).toBe(
        'Accepted=False/RefsNotResolved ResolvedRefs=False/RefNotFound Programmed=False/ProviderUnavailable',
      ),
    );
    expect(await ask(service, 'api.example')).toBe('503 provider_unavailable');
    expect(await messageOf('accesspolicy', 'orders', 'Programmed')).toBe(
      'generation 1 serves on without IdentityProvider shop/idp, which is not there or refused: rules that have no other provider answer 503 (provider_unavailable); a replica that starts now has none and denies',
    );
    await cluster.apply(provider);
    await programmed('orders');
  });

  it('says of a provider that does not exist which one may be meant, and never one of another namespace', async () => {
    await serve('portcullis-0');
    await cluster.apply(provider);
    await cluster.apply(provider.replace('name: idp, namespace: shop', 'name: secret-idp, namespace: other'));
    await cluster.apply(onePolicy('typo', 'typo.example', 'Authenticated', using('ipd')));
    await cluster.apply(onePolicy('nosy', 'nosy.example', 'Authenticated', using('secret-idp')));
    const problem = async (name: string): Promise<unknown> =>
      JSON.stringify((await statusOf('accesspolicy', name))['problems'] ?? '');
    await eventually(async () =>
      expect(await problem('typo')).toContain('that the policy names does not exist; did you mean idp?'),
    );
    await eventually(async () =>
      expect(await problem('nosy')).toContain('secret-idp that the policy names does not exist"'),
    );
    expect(await messageOf('accesspolicy', 'typo', 'ResolvedRefs')).toContain('did you mean idp?');
  });

  it('makes one Event of a change that arrives everywhere, and a restart of the API server none, and few lines', async () => {
    const replicas = [await serve('portcullis-a'), await serve('portcullis-b')];
    await cluster.apply(onePolicy('orders', 'api.example', 'Public'));
    await programmed('orders');
    await eventually(async () => expect((await statusOf('accesspolicy', 'orders'))['replicas']).toBe('2/2'));
    for (const access of ['Denied', 'Public', 'Denied'] as const) {
      await cluster.apply(onePolicy('orders', 'api.example', access));
      await programmed('orders');
    }
    expect(await events('orders')).toBe('Accepted ResolvedRefs Programmed');
    await cluster.killApiServer();
    await delay(4000);
    await cluster.restartApiServer();
    const ofServer = (replica: ServeProcess): readonly string[] =>
      replica
        .lines()
        .flatMap(({ level, msg }) => (/API server|lease/u.test(String(msg)) ? `${String(level)}: ${String(msg)}` : []));
    for (const replica of replicas)
      await eventually(
        () =>
          expect(ofServer(replica)).toEqual([
            'info: reads policies from the API server',
            'warn: the API server cannot be followed; what is in force stays in force',
            'info: the API server is followed again',
          ]),
        60_000,
      );
    await cluster.apply(onePolicy('orders', 'api.example', 'Public'));
    await programmed('orders', 60);
    expect(await events('orders')).toBe('Accepted ResolvedRefs Programmed');
  }, 120_000);

  it('leaves a policy without status that it does not read, and says at its start what it reads', async () => {
    await cluster.apply(onePolicy('unwatched', 'api.example', 'Public'));
    const elsewhere = await serve('portcullis-0', ['--watch-namespace', 'other', '--policy-selector', 'team=a']);
    await delay(2000);
    expect(await statusOf('accesspolicy', 'unwatched')).toEqual({});
    expect(elsewhere.lines().find(({ msg }) => msg === 'reads policies from the API server')).toMatchObject({
      namespaces: ['other'],
      policySelector: 'team=a',
      clusterKinds: true,
    });
    expect(await ask(elsewhere, 'api.example')).toBe('403 no_policy');
  });

  it('leaves the status of a policy that it does not read any more, which the commands of the documentation take away', async () => {
    const wide = await serve('portcullis-0');
    await cluster.apply(onePolicy('orders', 'api.example', 'Public'));
    await programmed('orders');
    wide.signal('SIGTERM');
    await wide.ended;
    const narrow = await serve('portcullis-1', ['--watch-namespace', 'other']);
    expect(await ask(narrow, 'api.example')).toBe('403 no_policy');
    expect(await conditionsOf('accesspolicy', 'orders')).toContain('Programmed=True/Programmed');
    const patch = ['--subresource=status', '--type=json', '--patch=[{"op":"remove","path":"/status"}]'];
    await cluster.kubectl('patch', 'accesspolicy', 'orders', '--namespace', 'shop', ...patch);
    expect(await statusOf('accesspolicy', 'orders')).toEqual({});
  });
});
