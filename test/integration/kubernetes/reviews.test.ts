import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isJsonObject } from '../../../src/core/json.ts';
import { startEchoUpstream } from '../../../src/dev/echo-upstream.ts';
import { exchange } from '../../../src/dev/http-exchange.ts';
import { startIssuer, type Issuer } from '../../../src/dev/issuer.ts';
import { eventually } from '../../support/eventually.ts';
import { textAt } from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { getText, startServe, type ServeProcess } from '../support/serve-process.ts';
import { startEnvoyBefore } from '../support/stand.ts';
import { describeWithEnvoy } from '../support/with-envoy.ts';

const reviewer = `
{apiVersion: v1, kind: ServiceAccount, metadata: {name: portcullis, namespace: portcullis}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: portcullis-reviews}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:auth-delegator"}
subjects: [{kind: ServiceAccount, name: portcullis, namespace: portcullis}]
`;

/** What the guide shows, and what a test needs besides. */
const moreRules = (issuer: string): string => `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec: {type: JWT, jwt: {issuer: "${issuer}", audiences: [orders], claims: {roles: [groups]}}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: persons, namespace: shop}
spec:
  hosts: [persons.example.com]
  authentication: {providers: [{name: idp}]}
  rules:
  - name: self
    matches: [{path: {type: PathPrefix, value: /self}}]
    access: Restricted
    authorization: {kubernetes: {resourceAttributes: &pods {resource: {value: pods}, verb: {value: get}, namespace: {value: shop}}}}
  - name: as
    matches: [{path: {type: PathPrefix, value: /as}}]
    access: Restricted
    authorization:
      kubernetes: {user: {expression: identity.subject}, groups: {expression: identity.claims.groups}, resourceAttributes: *pods}
`;

describeWithCluster('reviews by a real API server', () => {
  describeWithEnvoy('through a real Envoy', (envoyBinary) => {
    let cluster: Cluster;
    let issuer: Issuer;
    let service: ServeProcess;
    let port: number;
    const closers: (() => unknown)[] = [];

    beforeAll(async () => {
      cluster = await startCluster();
      closers.push(() => cluster.stop());
      for (const namespace of ['shop', 'team-a', 'team-b', 'portcullis'])
        await cluster.kubectl('create', 'namespace', namespace);
      for (const name of ['web', 'other', 'leaving'])
        await cluster.kubectl('create', 'serviceaccount', name, '--namespace', 'shop');
      await cluster.apply(reviewer);
      issuer = await startIssuer(0, 'orders');
      closers.push(() => issuer.close());
      const folder = await mkdtemp(join(tmpdir(), 'portcullis-reviews-'));
      closers.push(() => rm(folder, { recursive: true, force: true }));
      const blocks = [...(await readFile('docs/service-accounts.md', 'utf8')).matchAll(/```yaml\n(.*?)```/gs)];
      for (const [index, [, text = '']] of blocks.entries()) {
        if (text.includes('rbac.authorization')) await cluster.apply(text);
        else await writeFile(join(folder, `guide-${index}.yaml`), text);
      }
      await writeFile(join(folder, 'more.yaml'), moreRules(issuer.issuer));
      const token = await cluster.serviceAccountToken({ namespace: 'portcullis', name: 'portcullis' });
      const kubeconfig = await cluster.writeKubeconfig('portcullis', token);
      const flags = ['--token-review-ttl', '2s', '--key-load-timeout', '1s'];
      service = await startServe(folder, [
        '--kubeconfig',
        kubeconfig,
        '--allowed-private-address',
        '127.0.0.0/8',
        ...flags,
      ]);
      closers.push(() => service.close());
      await eventually(async () => expect((await getText(service.httpPort, '/readyz')).status).toBe(200));
      const upstream = await startEchoUpstream();
      closers.push(() => upstream.close());
      const envoy = await startEnvoyBefore(service.grpcAddress, upstream.port, { envoyBinary });
      closers.push(() => envoy.close());
      port = envoy.port;
    });
    afterAll(async () => {
      for (const close of closers.splice(0).toReversed()) await close();
    });

    const tokenOf = (name: string, audiences: readonly string[] = ['orders']): Promise<string> =>
      cluster.serviceAccountToken({ namespace: 'shop', name, audiences, seconds: 600 });
    const ask = async (path: string, token: string, host = 'orders.example.com', method = 'GET'): Promise<string> => {
      const headers = { host, authorization: `Bearer ${token}` };
      const answer = await exchange(port, { method, path, headers });
      if (answer.status === 200) return 'allow';
      const body: unknown = JSON.parse(answer.body);
      return `${answer.status} ${isJsonObject(body) ? textAt(body, 'error') : ''}`;
    };

    it('takes the token of an account that the policy names, and says who it is', async () => {
      const headers = { host: 'orders.example.com', authorization: `Bearer ${await tokenOf('web')}` };
      const answer = await exchange(port, { method: 'GET', path: '/orders', headers });
      expect([answer.status, answer.body.includes('system:serviceaccount:shop:web')]).toEqual([200, true]);
      expect(await ask('/orders', await tokenOf('other'))).toBe('403 claim_mismatch');
    });

    it('refuses a token for another audience, a forged one and that of a person', async () => {
      expect(await ask('/orders', await tokenOf('web', ['another']))).toBe('401 token_audience');
      const [head, payload] = (await tokenOf('web')).split('.');
      expect(await ask('/orders', `${head}.${payload}.${'A'.repeat(342)}`)).toBe('401 token_inactive');
      expect(await ask('/orders', cluster.token('admin'))).toBe('401 token_malformed');
    });

    it('asks RBAC by the attributes of the request, and follows it at once', async () => {
      const token = await tokenOf('web');
      expect(await ask('/teams/team-a/orders', token)).toBe('allow');
      expect(await ask('/teams/team-b/orders', token)).toBe('403 access_denied');
      expect(await ask('/teams/team-a/orders', token, undefined, 'DELETE')).toBe('403 access_denied');
      expect(await ask('/teams/team-a/orders', await tokenOf('other'))).toBe('403 access_denied');
      expect(await ask('/teams', token)).toBe('403 condition_error');
      await cluster.kubectl(
        'create',
        'rolebinding',
        'other',
        '--role=read-orders',
        '--serviceaccount=shop:other',
        '--namespace=team-a',
      );
      await eventually(async () => expect(await ask('/teams/team-a/orders', await tokenOf('other'))).toBe('allow'));
      await cluster.kubectl('delete', 'rolebinding', 'other', '--namespace=team-a');
      await eventually(async () =>
        expect(await ask('/teams/team-a/orders', await tokenOf('other'))).toBe('403 access_denied'),
      );
    });

    it('is not throttled: a hundred different questions at once and twenty new tokens are all answered', async () => {
      const token = await tokenOf('web');
      expect(await ask('/orders', token)).toBe('allow');
      const questions = Array.from({ length: 100 }, (_, index) => ask(`/teams/none-${index}`, token));
      expect(new Set(await Promise.all(questions))).toEqual(new Set(['403 access_denied']));
      const tokens: string[] = [];
      for (let i = 0; i < 20; i++) tokens.push(await tokenOf('web'));
      expect(new Set(await Promise.all(tokens.map((one) => ask('/orders', one))))).toEqual(new Set(['allow']));
    });

    it('lets no subject and no group of an identity provider pass for one of Kubernetes', async () => {
      const as = (claims: Readonly<Record<string, unknown>>): Promise<string> => issuer.sign(claims);
      await cluster.kubectl('create', 'role', 'pods', '--verb=get', '--resource=pods', '--namespace=shop');
      await cluster.kubectl('create', 'rolebinding', 'alice', '--role=pods', '--user=alice', '--namespace=shop');
      const on = 'persons.example.com';
      expect(await ask('/as', await as({ sub: 'alice', groups: [] }), on)).toBe('allow');
      expect(await ask('/as', await as({ sub: 'bob', groups: [] }), on)).toBe('403 access_denied');
      expect(await ask('/as', await as({ sub: 'bob', groups: ['system:masters'] }), on)).toBe('403 condition_error');
      expect(await ask('/as', await as({ sub: 'system:serviceaccount:shop:web', groups: [] }), on)).toBe(
        '403 condition_error',
      );
      expect(await ask('/self', await as({ sub: 'alice', groups: [] }), on)).toBe('403 access_denied');
    });

    it('refuses the token of a deleted account once what the API server said is no longer taken', async () => {
      const token = await tokenOf('leaving');
      expect(await ask('/orders', token)).toBe('403 claim_mismatch');
      await cluster.kubectl('delete', 'serviceaccount', 'leaving', '--namespace', 'shop');
      await eventually(async () => expect(await ask('/orders', token)).toBe('401 token_inactive'), 30_000);
    });

    it('denies with 503 at once while the API server is away, and goes on when it is back', async () => {
      const token = await tokenOf('web');
      expect(await ask('/teams/team-a/orders', token)).toBe('allow');
      await cluster.killApiServer();
      for (let i = 0; i < 4; i++) expect(await ask('/teams/team-a/orders', token)).toBe('503 review_unavailable');
      const began = performance.now();
      for (let i = 0; i < 20; i++) expect(await ask('/teams/team-a/orders', token)).toBe('503 review_unavailable');
      expect(performance.now() - began).toBeLessThan(2000);
      const { text } = await getText(service.httpPort, '/metrics');
      expect(text).toMatch(/portcullis_kubernetes_reviews_total\{review="access",result="skipped"\} [1-9]/u);
      await cluster.restartApiServer();
      await eventually(async () => expect(await ask('/teams/team-a/orders', token)).toBe('allow'), 30_000);
      const told = (): boolean => service.output().includes('the API server answers reviews again');
      await eventually(() => expect(told()).toBe(true));
    });

    it('says which right is missing, and asks again once it is granted', async () => {
      const token = await tokenOf('web');
      await cluster.kubectl('delete', 'clusterrolebinding', 'portcullis-reviews');
      await eventually(async () => expect(await ask('/teams/team-a/orders', token)).toBe('503 review_unavailable'));
      const told = (): boolean => service.output().includes('the chart grants it with rbac.reviews');
      await eventually(async () => expect(told()).toBe(true));
      await cluster.apply(reviewer);
      await eventually(async () => expect(await ask('/teams/team-a/orders', token)).toBe('allow'), 30_000);
      expect(service.output()).not.toContain(token.split('.')[2]);
    });
  });
});
