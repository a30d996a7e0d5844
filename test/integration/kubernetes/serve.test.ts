import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../src/core/json.ts';
import { startIssuer, type Issuer } from '../../../src/dev/issuer.ts';
import { checkOf, createCheckClient, encodeCheck } from '../../support/check-over-grpc.ts';
import { eventually } from '../../support/eventually.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { installCrds } from '../../support/kubernetes/crds.ts';
import { createServiceAccount } from '../../support/kubernetes/service-account.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { getText, startServe, type ServeProcess } from '../support/serve-process.ts';

const open = '{name: open, matches: [{path: {type: PathPrefix, value: /}}], access: Public}';
const mine = '{name: mine, matches: [{path: {type: PathPrefix, value: /mine}}], access: Authenticated}';

function policy(name: string, host: string, rules: string, { namespace = 'shop', more = '' } = {}): string {
  return `{apiVersion: portcullis.dev/v1alpha1, kind: AccessPolicy, metadata: {name: ${name}, namespace: ${namespace}}, spec: {hosts: [${host}], ${more} rules: [${rules}]}}`;
}

describeWithCluster('serve before a real API server', () => {
  let cluster: Cluster;
  let issuer: Issuer;
  let kubeconfig: string;
  const closers: (() => unknown)[] = [];

  beforeAll(async () => {
    cluster = await startCluster();
    issuer = await startIssuer(0, 'orders');
    kubeconfig = await createServiceAccount(cluster);
    for (const namespace of ['shop', 'team-b']) await cluster.kubectl('create', 'namespace', namespace);
  });
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
    const kinds = 'accesspolicies,identityproviders,clusteraccesspolicies,clusteridentityproviders';
    await cluster.run('kubectl', ['delete', kinds, '--all', '--all-namespaces', '--wait=false']);
    await cluster.run('kubectl', ['delete', 'leases', '--all', '--namespace', 'portcullis', '--wait=false']);
  });
  afterAll(async () => {
    await issuer?.close();
    await cluster?.stop();
  });

  const serve = async (pod = 'portcullis-0', flags: readonly string[] = [], as = kubeconfig): Promise<ServeProcess> => {
    const all = ['--kubeconfig', as, '--pod-name', pod, '--allowed-private-address', '127.0.0.0/8', ...flags];
    const service = await startServe(undefined, all);
    closers.push(() => service.close());
    return service;
  };
  const ready = (service: ServeProcess): Promise<void> =>
    eventually(async () =>
      expect(await getText(service.httpPort, '/readyz')).toEqual({ status: 200, text: 'ready\n' }),
    );
  const ask = async (service: ServeProcess, host: string, path = '/', token?: string): Promise<string> => {
    const client = createCheckClient(service.grpcAddress);
    const answer = await client.send(
      encodeCheck(checkOf({ method: 'GET', host, path, headers: [], clientIp: undefined }, token, 'joined')),
    );
    client.close();
    if (answer.status?.code === 0) return 'allow';
    const body: unknown = JSON.parse(answer.deniedResponse?.body ?? '{}');
    return `${answer.deniedResponse?.status?.code} ${isJsonObject(body) ? textOf(body['error']) : ''}`;
  };
  const decides = (service: ServeProcess, host: string, path: string, expected: string): Promise<void> =>
    eventually(async () => expect(await ask(service, host, path)).toBe(expected));
  const statusOf = async (name: string, namespace = 'shop', kind = 'accesspolicy'): Promise<JsonObject> => {
    const object: unknown = JSON.parse(
      await cluster.kubectl('get', kind, name, '--namespace', namespace, '--output', 'json'),
    );
    const status = isJsonObject(object) ? object['status'] : undefined;
    return isJsonObject(status) ? status : {};
  };
  const conditionsOf = async (name: string, namespace = 'shop'): Promise<string> => {
    const { conditions } = await statusOf(name, namespace);
    const all: readonly unknown[] = Array.isArray(conditions) ? conditions : [];
    return all
      .flatMap((one) =>
        isJsonObject(one) ? [`${textOf(one['type'])}=${textOf(one['status'])}/${textOf(one['reason'])}`] : [],
      )
      .join(' ');
  };
  const programmed = (name: string, namespace = 'shop'): Promise<string> =>
    cluster.kubectl(
      'wait',
      '--for=condition=Programmed',
      '--timeout=30s',
      `accesspolicy/${name}`,
      '--namespace',
      namespace,
    );
  /** As a client that does not ask for strictness. */
  const applyPast = async (yaml: string): Promise<void> => {
    const run = await cluster.run('kubectl', ['apply', '--validate=ignore', '--filename', '-'], { input: yaml });
    expect(run.stderr).not.toContain('Error');
  };

  it('waits for the CRDs, is not ready meanwhile and says so, and denies every check', async () => {
    const service = await serve();
    await eventually(async () => {
      const { status, text } = await getText(service.httpPort, '/readyz');
      expect(status).toBe(503);
      expect(text).toContain('is not installed: it comes with the release that has crds.enabled');
    });
    expect(await ask(service, 'a.example')).toBe('503 not_ready');
    await installCrds(cluster);
    await ready(service);
    expect(await ask(service, 'a.example')).toBe('403 no_policy');
  });

  it('decides by a policy once it is Programmed, follows its changes and its deletion, and shows it', async () => {
    const service = await serve();
    await cluster.apply(policy('orders', 'api.example', open));
    await programmed('orders');
    expect(await ask(service, 'api.example')).toBe('allow');
    await cluster.apply(policy('orders', 'api.example', open.replace('Public', 'Denied')));
    await decides(service, 'api.example', '/', '403 denied');
    await programmed('orders');
    const lines = (await cluster.kubectl('get', 'accesspolicies', '--namespace', 'shop')).trim().split('\n');
    expect(lines.map((line) => line.split(/ {2,}/u).slice(0, 6))).toEqual([
      ['NAME', 'ACCEPTED', 'PROGRAMMED', 'REASON', 'TARGETS', 'RULES'],
      ['orders', 'True', 'True', 'Programmed', 'api.example', '1'],
    ]);
    expect(await statusOf('orders')).toMatchObject({ observedGeneration: 2, servedGeneration: 2, replicas: '1/1' });
    const events = await cluster.kubectl(
      'get',
      'events',
      '--namespace',
      'shop',
      '--output',
      'jsonpath={range .items[*]}{.reason} {end}',
    );
    expect(events).toContain('Programmed');
    await cluster.kubectl('delete', 'accesspolicy', 'orders', '--namespace', 'shop');
    await decides(service, 'api.example', '/', '403 no_policy');
  });

  it('S4: keeps the last good version of a policy that gets past the schema, says so, and goes on with its correction', async () => {
    const service = await serve();
    await cluster.apply(policy('orders', 'api.example', open));
    await programmed('orders');
    await applyPast(policy('orders', 'api.example', open, { more: 'adresses: {allow: [10.0.0.0/8]},' }));
    await eventually(async () =>
      expect(await conditionsOf('orders')).toBe(
        'Accepted=False/Invalid ResolvedRefs=True/ResolvedRefs Programmed=False/LastGoodServed',
      ),
    );
    expect(await statusOf('orders')).toMatchObject({
      observedGeneration: 2,
      servedGeneration: 1,
      problems: [
        {
          severity: 'error',
          code: 'unknown-field',
          field: 'spec.adresses',
          message: 'spec has no field "adresses"; did you mean addresses?',
        },
      ],
    });
    expect(await ask(service, 'api.example')).toBe('allow');
    await cluster.apply(policy('orders', 'api.example', open.replace('Public', 'Denied')));
    await decides(service, 'api.example', '/', '403 denied');
    await programmed('orders');
  });

  it('S4: a new policy that is bad denies what it would have won, and touches no other', async () => {
    const service = await serve();
    await cluster.apply(policy('good', 'good.example', open));
    await applyPast(policy('bad', 'bad.example', open, { more: 'adresses: {allow: [10.0.0.0/8]},' }));
    await decides(service, 'bad.example', '/', '503 policy_invalid');
    expect(await ask(service, 'good.example')).toBe('allow');
    await eventually(async () => expect(await conditionsOf('bad')).toContain('Programmed=False/Denying'));
    expect((await statusOf('bad'))['servedGeneration']).toBeUndefined();
  });

  it('says of what this version does not build that it is Unsupported, and denies its requests', async () => {
    const service = await serve();
    await cluster.apply(policy('limited', 'limited.example', open, { more: 'requirements: {transport: HTTPS},' }));
    await decides(service, 'limited.example', '/', '503 policy_invalid');
    await eventually(async () => expect(await conditionsOf('limited')).toContain('Accepted=False/Unsupported'));
  });

  it('promise 5: serves on and stays ready while the API server is away, and follows it when it is back', async () => {
    const service = await serve();
    await cluster.apply(policy('orders', 'api.example', open));
    await programmed('orders');
    await cluster.killApiServer();
    expect(await ask(service, 'api.example')).toBe('allow');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect((await getText(service.httpPort, '/readyz')).status).toBe(200);
    expect(await ask(service, 'api.example')).toBe('allow');
    await cluster.restartApiServer();
    await cluster.apply(policy('orders', 'api.example', open.replace('Public', 'Denied')));
    await eventually(async () => expect(await ask(service, 'api.example')).toBe('403 denied'), 40_000);
    await programmed('orders');
    expect(service.output()).not.toContain('uncaught');
  });

  it('S10: a host belongs to the namespace of its oldest policy; the other is Conflicted for it, and governs its own', async () => {
    const service = await serve();
    await cluster.apply(policy('first', 'api.example', open));
    await programmed('first');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await cluster.apply(
      policy('second', 'api.example, own.example', open.replace('Public', 'Denied'), { namespace: 'team-b' }),
    );
    await eventually(async () =>
      expect(await conditionsOf('second', 'team-b')).toContain('Conflicted=True/HostConflict'),
    );
    expect(await ask(service, 'api.example')).toBe('allow');
    expect(await ask(service, 'own.example')).toBe('403 denied');
    expect((await statusOf('second', 'team-b'))['conflicts']).toEqual([{ host: 'api.example', owner: 'shop' }]);
    await cluster.kubectl('delete', 'accesspolicy', 'first', '--namespace', 'shop');
    await decides(service, 'api.example', '/', '403 denied');
    await eventually(async () => expect(await conditionsOf('second', 'team-b')).not.toContain('Conflicted'));
  });

  it('reads the keys of a ConfigMap that a provider refers to, follows their rotation and their deletion', async () => {
    const service = await serve();
    const jwks = await issuerKeys(issuer);
    await cluster.apply(
      `{apiVersion: v1, kind: ConfigMap, metadata: {name: keys, namespace: shop}, data: {jwks.json: ${JSON.stringify(JSON.stringify({ keys: [] }))}}}`,
    );
    await cluster.apply(
      `{apiVersion: portcullis.dev/v1alpha1, kind: IdentityProvider, metadata: {name: idp, namespace: shop}, spec: {type: JWT, jwt: {issuer: "${issuer.issuer}", audiences: [orders], jwks: {configMapRef: {name: keys, key: jwks.json}}}}}`,
    );
    await cluster.apply(policy('orders', 'api.example', mine, { more: 'authentication: {providers: [{name: idp}]},' }));
    const token = await issuer.sign({ sub: 'alice' });
    await decides(service, 'api.example', '/mine', '401 credential_missing');
    expect(await ask(service, 'api.example', '/mine', token)).not.toBe('allow');
    await cluster.apply(
      `{apiVersion: v1, kind: ConfigMap, metadata: {name: keys, namespace: shop}, data: {jwks.json: ${JSON.stringify(jwks)}}}`,
    );
    await eventually(async () => expect(await ask(service, 'api.example', '/mine', token)).toBe('allow'));
    await cluster.kubectl('delete', 'configmap', 'keys', '--namespace', 'shop');
    await eventually(async () => expect(await ask(service, 'api.example', '/mine', token)).toMatch(/^503/u));
  });

  it('counts the replicas that serve, and hands leading over when the leader is gone', async () => {
    const [first, second] = [await serve('portcullis-a'), await serve('portcullis-b')];
    await Promise.all([ready(first), ready(second)]);
    await cluster.apply(policy('orders', 'api.example', open));
    await programmed('orders');
    await eventually(async () => expect((await statusOf('orders'))['replicas']).toBe('2/2'));
    const holder = await cluster.kubectl(
      'get',
      'lease',
      'portcullis',
      '--namespace',
      'portcullis',
      '--output',
      'jsonpath={.spec.holderIdentity}',
    );
    const [leader, other] = holder === 'portcullis-a' ? [first, second] : [second, first];
    leader.signal('SIGKILL');
    await leader.ended;
    await cluster.apply(policy('later', 'later.example', open));
    await decides(other, 'later.example', '/', 'allow');
    await eventually(async () => expect(await conditionsOf('later')).toContain('Programmed='), 40_000);
  }, 90_000);

  it('says that replicas disagree where one began while a policy was invalid', async () => {
    const elder = await serve('portcullis-elder');
    await cluster.apply(policy('orders', 'api.example', open));
    await programmed('orders');
    await applyPast(policy('orders', 'api.example', open, { more: 'adresses: {allow: [10.0.0.0/8]},' }));
    await eventually(async () => expect(await conditionsOf('orders')).toContain('LastGoodServed'));
    const younger = await serve('portcullis-younger');
    await decides(younger, 'api.example', '/', '503 policy_invalid');
    expect(await ask(elder, 'api.example')).toBe('allow');
    await eventually(async () => expect(await conditionsOf('orders')).toContain('Programmed=False/ReplicasDisagree'));
    expect((await statusOf('orders'))['replicas']).toBe('1/2');
    await cluster.apply(policy('orders', 'api.example', open));
    await programmed('orders');
    await decides(younger, 'api.example', '/', 'allow');
  });

  it('writes nothing to an object that does not change', async () => {
    const replicas = [await serve('portcullis-a'), await serve('portcullis-b')];
    await Promise.all(replicas.map(ready));
    await cluster.apply(policy('orders', 'api.example', open));
    await programmed('orders');
    await eventually(async () => expect((await statusOf('orders'))['replicas']).toBe('2/2'));
    const version = (): Promise<string> =>
      cluster.kubectl(
        'get',
        'accesspolicy',
        'orders',
        '--namespace',
        'shop',
        '--output',
        'jsonpath={.metadata.resourceVersion}',
      );
    const before = await version();
    await cluster.apply(policy('another', 'another.example', open));
    await programmed('another');
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(await version()).toBe(before);
  });

  it('names the right that is missing, and is not ready without it', async () => {
    await cluster.kubectl('create', 'serviceaccount', 'poor', '--namespace', 'portcullis');
    const token = await cluster.serviceAccountToken({ namespace: 'portcullis', name: 'poor' });
    const service = await serve('portcullis-poor', [], await cluster.writeKubeconfig('poor', token));
    await eventually(async () => {
      const { status, text } = await getText(service.httpPort, '/readyz');
      expect(status).toBe(503);
      expect(text).toMatch(/the service account needs get, list and watch on \w+\.portcullis\.dev by a ClusterRole/u);
    });
    expect(service.output()).not.toContain(token);
  });

  it('reads the policies that its selector takes, and every floor and provider', async () => {
    await cluster.apply(policy('mine', 'mine.example', open));
    await cluster.apply(policy('theirs', 'theirs.example', open));
    await cluster.kubectl('label', 'accesspolicy', 'mine', '--namespace', 'shop', 'shard=a');
    await cluster.apply(
      '{apiVersion: portcullis.dev/v1alpha1, kind: ClusterAccessPolicy, metadata: {name: floor}, spec: {rules: [{name: none, matches: [{path: {type: PathPrefix, value: /secret}}], access: Denied}]}}',
    );
    const service = await serve('portcullis-shard', ['--policy-selector', 'shard=a']);
    await decides(service, 'mine.example', '/', 'allow');
    expect(await ask(service, 'theirs.example')).toBe('403 no_policy');
    expect(await ask(service, 'mine.example', '/secret')).toBe('403 denied');
    await cluster.kubectl('label', 'accesspolicy', 'theirs', '--namespace', 'shop', 'shard=a');
    await decides(service, 'theirs.example', '/', 'allow');
    await cluster.kubectl('label', 'accesspolicy', 'theirs', '--namespace', 'shop', 'shard-');
    await decides(service, 'theirs.example', '/', '403 no_policy');
  });

  it("S10: the operator's grants decide, for each host", async () => {
    const service = await serve('portcullis-grants', [
      '--host-grant',
      'shop=api.example',
      '--host-grant',
      'team-b=b.example',
    ]);
    await cluster.apply(policy('orders', 'api.example, b.example', open));
    await eventually(async () => expect(await conditionsOf('orders')).toContain('Conflicted=True/HostConflict'));
    expect(await ask(service, 'api.example')).toBe('allow');
    expect(await ask(service, 'b.example')).toBe('403 no_policy');
    expect((await statusOf('orders'))['conflicts']).toEqual([{ host: 'b.example', owner: 'team-b' }]);
  });

  it('stops in order: its lease is gone and no check is lost', async () => {
    const service = await serve('portcullis-stops');
    await ready(service);
    await eventually(async () =>
      expect(await cluster.kubectl('get', 'leases', '--namespace', 'portcullis', '--output', 'name')).toContain(
        'portcullis-replica-portcullis-stops',
      ),
    );
    service.signal('SIGTERM');
    expect(await service.ended).toBe(0);
    expect(await cluster.kubectl('get', 'leases', '--namespace', 'portcullis', '--output', 'name')).not.toContain(
      'replica',
    );
  });
});

async function issuerKeys({ issuer }: Issuer): Promise<string> {
  const discovery: unknown = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const uri = isJsonObject(discovery) ? textOf(discovery['jwks_uri']) : '';
  return (await fetch(uri)).text();
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
