import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../src/core/json.ts';
import { checkOf, createCheckClient, encodeCheck } from '../../support/check-over-grpc.ts';
import { eventually } from '../../support/eventually.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { installCrds } from '../../support/kubernetes/crds.ts';
import { createServiceAccount } from '../../support/kubernetes/service-account.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { getText, startServe, type ServeProcess } from '../support/serve-process.ts';

const documents = `
{apiVersion: portcullis.dev/v1alpha1, kind: IdentityProvider, metadata: {name: keys, namespace: shop}, spec: {type: APIKey, apiKey: {from: [{header: x-api-key}], secretSelector: {matchLabels: {portcullis.dev/api-key: "true"}}}}}
---
{apiVersion: portcullis.dev/v1alpha1, kind: IdentityProvider, metadata: {name: partners, namespace: shop}, spec: {type: SharedSecretJWT, sharedSecretJwt: {secretSelector: {matchLabels: {portcullis.dev/consumer: "true"}}}}}
---
{apiVersion: portcullis.dev/v1alpha1, kind: AccessPolicy, metadata: {name: orders, namespace: shop}, spec: {hosts: [a.example], authentication: {providers: [{name: keys}, {name: partners}]}, rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}]}}
`;

/** As docs/kubernetes.md has it. */
const mayReadSecrets = `
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: portcullis-clients, namespace: shop}, rules: [{apiGroups: [""], resources: [secrets], verbs: [get, list, watch]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: portcullis-clients, namespace: shop}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: portcullis-clients}, subjects: [{kind: ServiceAccount, name: portcullis, namespace: portcullis}]}
`;

const key = (name: string): string => `k-${name}-0123456789abcdef`;
const secret = (name: string, label: string, data: string, more = ''): string =>
  `{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: shop, labels: {portcullis.dev/${label}: "true"}${more}}, stringData: {${data}}}`;
const client = (name: string, more = ''): string => secret(name, 'api-key', `api-key: ${key(name)}`, more);

describeWithCluster('the Secrets of clients before a real API server', () => {
  let cluster: Cluster;
  let service: ServeProcess;
  let checks: ReturnType<typeof createCheckClient>;
  const closers: (() => unknown)[] = [];

  beforeAll(async () => {
    cluster = await startCluster();
    await installCrds(cluster);
    const kubeconfig = await createServiceAccount(cluster);
    await cluster.kubectl('create', 'namespace', 'shop');
    await cluster.apply(documents);
    service = await startServe(undefined, ['--kubeconfig', kubeconfig, '--pod-name', 'portcullis-0']);
    closers.push(() => service.close());
    checks = createCheckClient(service.grpcAddress);
    closers.push(() => checks.close());
    await eventually(async () => expect((await getText(service.httpPort, '/readyz')).status).toBe(200));
  });
  afterEach(async () => {
    await cluster.run('kubectl', ['delete', 'secrets', '--all', '--namespace', 'shop', '--wait=false']);
  });
  afterAll(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
    await cluster?.stop();
  });

  const ask = async (headers: readonly (readonly [string, string])[]): Promise<string> => {
    const request = { method: 'GET', host: 'a.example', path: '/', headers, clientIp: undefined };
    const answer = await checks.send(encodeCheck(checkOf(request, undefined, 'apart')));
    if (answer.status?.code === 0) return 'allow';
    const body: unknown = JSON.parse(answer.deniedResponse?.body ?? '{}');
    const error = isJsonObject(body) ? body['error'] : undefined;
    return typeof error === 'string' ? error : '';
  };
  const askWith = (presented: string): Promise<string> => ask([['x-api-key', presented]]);
  /** Milliseconds until the answer is that. */
  const until = async (expected: string, presented: string): Promise<number> => {
    const begun = performance.now();
    while ((await askWith(presented)) !== expected) {
      if (performance.now() - begun > 20_000) throw new Error(`not ${expected} in time`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return performance.now() - begun;
  };
  const statusOf = async (name: string): Promise<JsonObject> => {
    const json = await cluster.kubectl('get', 'identityprovider', name, '--namespace', 'shop', '--output', 'json');
    const object: unknown = JSON.parse(json);
    const status = isJsonObject(object) ? object['status'] : undefined;
    return isJsonObject(status) ? status : {};
  };
  const conditionOf = async (name: string, type: string): Promise<JsonObject | undefined> => {
    const { conditions } = await statusOf(name);
    const all = Array.isArray(conditions) ? (conditions as readonly JsonObject[]) : [];
    return all.find((one) => one['type'] === type);
  };
  const remove = (name: string): Promise<unknown> =>
    cluster.request({ method: 'DELETE', path: `/api/v1/namespaces/shop/secrets/${name}` });

  it('are not read without the right: nobody is let in, and status says which right is missing', async () => {
    await cluster.apply(client('early'));
    expect(await askWith(key('early'))).toBe('credential_unknown');
    await eventually(async () =>
      expect(await conditionOf('keys', 'ResolvedRefs')).toMatchObject({
        status: 'False',
        reason: 'RefNotReadable',
        message: expect.stringContaining(
          'the Secrets shop?portcullis.dev/api-key=true cannot be read: the service account needs get, list and watch on secrets by a Role in the namespace shop',
        ),
      }),
    );
    expect(await conditionOf('keys', 'KeysLoaded')).toMatchObject({ status: 'False', reason: 'KeysMissing' });
    await cluster.apply(mayReadSecrets);
    await until('allow', key('early'));
    await eventually(
      async () => expect(await conditionOf('keys', 'ResolvedRefs')).toMatchObject({ status: 'True' }),
      40_000,
    );
  }, 90_000);

  it('a key works once its Secret is there, and is refused within a second of its deletion, ten times over', async () => {
    const [added, gone]: [number[], number[]] = [[], []];
    for (let round = 0; round < 10; round++) {
      await cluster.apply(client('acme'));
      added.push(await until('allow', key('acme')));
      await remove('acme');
      gone.push(await until('credential_unknown', key('acme')));
    }
    console.info(
      `added: ${added.map(Math.round).join(' ')} ms, deleted: ${gone.map(Math.round).join(' ')} ms after the server's answer`,
    );
    expect(Math.max(...gone)).toBeLessThan(1000);
  });

  it('a key ends with the label of its Secret, and where the Secret waits for its finalizers', async () => {
    await cluster.apply(client('labelled'));
    await cluster.apply(client('kept', ', finalizers: [example.com/keep]'));
    await until('allow', key('labelled'));
    await until('allow', key('kept'));
    await cluster.kubectl('label', 'secret', 'labelled', 'portcullis.dev/api-key-', '--namespace', 'shop');
    expect(await until('credential_unknown', key('labelled'))).toBeLessThan(1000);
    await remove('kept');
    expect(await until('credential_unknown', key('kept'))).toBeLessThan(1000);
    expect(await cluster.kubectl('get', 'secret', 'kept', '--namespace', 'shop')).toContain('kept');
    await cluster.kubectl(
      'patch',
      'secret',
      'kept',
      '--namespace',
      'shop',
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":null}}',
    );
  });

  it('two Secrets with one key let nobody in, and status names both and not the key', async () => {
    await cluster.apply(client('one'));
    await until('allow', key('one'));
    await cluster.apply(secret('two', 'api-key', `api-key: ${key('one')}`));
    await until('credential_unknown', key('one'));
    await eventually(
      async () =>
        expect((await statusOf('keys'))['keys']).toEqual({
          count: 0,
          lastError: 'Secrets one, two have the same API key, so that it works for none of them',
        }),
      40_000,
    );
    await remove('two');
    await until('allow', key('one'));
  }, 60_000);

  it('a token that was verified is refused once its secret is another', async () => {
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const sign = (by: string): readonly (readonly [string, string])[] => {
      const input = `${encode({ alg: 'HS256' })}.${encode({ iss: 'globex', exp: 4_000_000_000 })}`;
      return [['authorization', `Bearer ${input}.${createHmac('sha256', by).update(input).digest('base64url')}`]];
    };
    const [old, fresh] = ['x'.repeat(32), 'y'.repeat(32)];
    await cluster.apply(secret('globex', 'consumer', `key: globex, secret: ${old}`));
    await eventually(async () => expect(await ask(sign(old))).toBe('allow'));
    expect(await ask(sign(fresh))).toBe('token_signature');
    await cluster.apply(secret('globex', 'consumer', `key: globex, secret: ${fresh}`));
    await eventually(async () => expect(await ask(sign(old))).toBe('token_signature'));
    expect(await ask(sign(fresh))).toBe('allow');
    await remove('globex');
    await eventually(async () => expect(await ask(sign(fresh))).toBe('token_key'));
  });

  it('promise 5: keys work on while the API server is away, and one that is deleted then is gone once it is back', async () => {
    await cluster.apply(client('acme'));
    await until('allow', key('acme'));
    await cluster.killApiServer();
    expect(await askWith(key('acme'))).toBe('allow');
    await cluster.restartApiServer();
    await remove('acme');
    console.info(
      `gone ${Math.round(await until('credential_unknown', key('acme')))} ms after the deletion, past an outage`,
    );
    expect(service.output()).not.toContain(key('acme'));
  }, 60_000);
});
