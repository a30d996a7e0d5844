import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { isJsonObject } from '../../../src/core/json.ts';
import { startIssuer, type Issuer } from '../../../src/dev/issuer.ts';
import { checkOf, createCheckClient, encodeCheck } from '../../support/check-over-grpc.ts';
import { eventually } from '../../support/eventually.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { installCrds } from '../../support/kubernetes/crds.ts';
import { createServiceAccount } from '../../support/kubernetes/service-account.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { getText, type ServeProcess } from '../support/serve-process.ts';
import { createServeStand, textOf } from './support/serve-stand.ts';

describeWithCluster('revocations out of a ConfigMap of a real API server', () => {
  let cluster: Cluster;
  let issuer: Issuer;
  let kubeconfig: string;
  const stand = createServeStand(
    () => cluster,
    () => kubeconfig,
  );

  beforeAll(async () => {
    cluster = await startCluster();
    issuer = await startIssuer(0, 'orders');
    kubeconfig = await createServiceAccount(cluster);
    await installCrds(cluster);
    await cluster.kubectl('create', 'namespace', 'shop');
    await cluster.apply(`
{apiVersion: portcullis.dev/v1alpha1, kind: IdentityProvider, metadata: {name: idp, namespace: shop}, spec: {type: JWT, jwt: {issuer: "${issuer.issuer}", audiences: [orders]}}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  hosts: [shop.example]
  authentication: {providers: [{name: idp}]}
  rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}]
`);
  }, 120_000);
  afterEach(() => stand.end());
  afterAll(async () => {
    await issuer?.close();
    await cluster?.stop();
  });

  const ask = async (service: ServeProcess, token: string): Promise<string> => {
    const client = createCheckClient(service.grpcAddress);
    const request = { method: 'GET', host: 'shop.example', path: '/', headers: [], clientIp: undefined };
    const answer = await client.send(encodeCheck(checkOf(request, token, 'joined')));
    client.close();
    if (answer.status?.code === 0) return 'allow';
    const body: unknown = JSON.parse(answer.deniedResponse?.body ?? '{}');
    return `${answer.deniedResponse?.status?.code} ${isJsonObject(body) ? textOf(body['error']) : ''}`;
  };
  const put = (lines: readonly object[]): Promise<unknown> =>
    cluster.apply(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'revocations', namespace: 'portcullis' },
        data: { list: lines.map((line) => JSON.stringify(line)).join('\n') },
      }),
    );
  const flags = ['--revocations-config-map', 'portcullis/revocations', '--allowed-private-address', '127.0.0.0/8'];
  const serve = (pod: string, more: readonly string[] = []): Promise<ServeProcess> =>
    stand.serve(pod, [...flags, ...more]);

  it('every replica refuses within a second of the change, and nobody else; what is taken out counts again', async () => {
    await put([]);
    const replicas = [await serve('portcullis-0'), await serve('portcullis-1')];
    const alice = await issuer.sign({ sub: 'alice', jti: 'a' });
    const bob = await issuer.sign({ sub: 'bob', jti: 'b' });
    const everywhere = (token: string): Promise<readonly string[]> =>
      Promise.all(replicas.map((replica) => ask(replica, token)));
    await eventually(async () => expect(await everywhere(alice)).toEqual(['allow', 'allow']));
    expect(await everywhere(bob)).toEqual(['allow', 'allow']);
    await put([{ issuer: issuer.issuer, sub: 'alice' }]);
    const since = performance.now();
    await eventually(
      async () => expect(await everywhere(alice)).toEqual(['401 token_revoked', '401 token_revoked']),
      1000,
    );
    expect(performance.now() - since).toBeLessThan(1000);
    expect(await everywhere(bob)).toEqual(['allow', 'allow']);
    await put([]);
    await eventually(async () => expect(await everywhere(alice)).toEqual(['allow', 'allow']), 1000);
  }, 60_000);

  it('a map that does not exist denies with 503 until it does; with Ignore nothing is denied for it', async () => {
    await cluster.kubectl('delete', 'configmap', 'revocations', '--namespace', 'portcullis', '--ignore-not-found');
    const [denying, ignoring] = [
      await serve('portcullis-0'),
      await serve('portcullis-1', ['--revocations-unavailable', 'Ignore']),
    ];
    const token = await issuer.sign({ sub: 'alice', jti: 'a' });
    await eventually(async () => expect(await ask(ignoring, token)).toBe('allow'));
    expect(await ask(denying, token)).toBe('503 revocations_unavailable');
    await eventually(async () =>
      expect((await getText(denying.adminPort, '/revocations')).text).toContain(
        'portcullis/revocations does not exist',
      ),
    );
    await put([]);
    await eventually(async () => expect(await ask(denying, token)).toBe('allow'), 3000);
  }, 60_000);

  it('while the API server is away what was read counts, and once it is away for longer than the grace all is denied', async () => {
    await put([{ issuer: issuer.issuer, sub: 'alice' }]);
    const service = await serve('portcullis-0', ['--revocations-grace', '4s']);
    const [alice, bob] = [await issuer.sign({ sub: 'alice' }), await issuer.sign({ sub: 'bob' })];
    await eventually(async () =>
      expect([await ask(service, alice), await ask(service, bob)]).toEqual(['401 token_revoked', 'allow']),
    );
    await cluster.killApiServer();
    expect([await ask(service, alice), await ask(service, bob)]).toEqual(['401 token_revoked', 'allow']);
    await eventually(async () => expect(await ask(service, bob)).toBe('503 revocations_unavailable'), 20_000);
    expect(await ask(service, alice)).toBe('401 token_revoked');
    expect((await getText(service.httpPort, '/readyz')).status).toBe(200);
    await cluster.restartApiServer();
    await eventually(
      async () => expect([await ask(service, alice), await ask(service, bob)]).toEqual(['401 token_revoked', 'allow']),
      30_000,
    );
  }, 120_000);
});
