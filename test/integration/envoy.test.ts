import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange } from '../../src/dev/http-exchange.ts';
import { outcomeOfAnswer } from '../../src/dev/outcome.ts';
import { rawHttp1 } from './support/raw-http1.ts';
import { rawHttp2 } from './support/raw-http2.ts';
import { startStand, type Stand } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

const policies = (issuer: string): string => `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec: {type: JWT, jwt: {issuer: "${issuer}", audiences: [orders]}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  hosts: [shop.example]
  authentication: {providers: [{name: idp}]}
  rules: [{name: all, matches: [{path: {type: PathPrefix, value: /orders}}], access: Authenticated}]
  upstream: {headers: [{name: x-user, expression: identity.subject}]}
`;

describeWithEnvoy('a real Envoy before Portcullis on', (envoyBinary) => {
  describe.each([
    ['grpc-js', 'portcullis.shop'],
    // What Envoy asks by where its configuration does not say otherwise: Istio's name of a cluster.
    ['native', 'outbound|9001||portcullis.shop.svc.cluster.local'],
  ])('%s, by the authority %s', (transport, authority) => {
    let stand: Stand;
    let token: string;

    beforeAll(async () => {
      const filter = { grpc_service: { envoy_grpc: { cluster_name: 'portcullis', authority }, timeout: '0.5s' } };
      stand = await startStand({ envoyBinary, policies, filter, settings: [['--transport', [transport]]] });
      token = await stand.issuer.sign({ sub: 'alice' });
    });
    afterAll(() => stand.close());

    const http2 = (...extra: (readonly [string, string])[]) =>
      rawHttp2(stand.port, [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':authority', 'shop.example'],
        [':path', '/orders'],
        ...extra,
      ]);

    it('passes a request on with the identity, and without the token', async () => {
      const headers = { host: 'shop.example', authorization: `Bearer ${token}`, 'x-user': 'root' };
      const answer = await exchange(stand.port, { method: 'GET', path: '/orders', headers });
      const outcome = outcomeOfAnswer(answer.status, answer.body);
      const upstream = outcome.decision === 'allow' ? outcome.upstream : new Map<string, string>();
      expect([upstream.get('x-user'), upstream.get('authorization')]).toEqual(['alice', undefined]);
    });

    it('takes a token of a key that the issuer made later', async () => {
      await stand.issuer.rotate({ withdrawOld: false });
      const fresh = await stand.issuer.sign({ sub: 'bob' });
      expect(await http2(['authorization', `Bearer ${fresh}`])).toMatchObject({ kind: 'answer', status: 200 });
    });

    it('answers an HTTP/1.1 client byte for byte', async () => {
      const answer = await rawHttp1(stand.port, ['GET //orders HTTP/1.1', 'Host: shop.example']);
      expect([answer.status, outcomeOfAnswer(answer.status, answer.body)]).toMatchObject([
        400,
        { decision: 'deny', code: 'path_not_canonical' },
      ]);
    });

    it('answers an HTTP/2 client: with a token 200, without 401, with two 400', async () => {
      const bearer = ['authorization', `Bearer ${token}`] as const;
      const answers = [await http2(bearer), await http2(), await http2(bearer, bearer)];
      expect(answers.map((answer) => (answer.kind === 'answer' ? answer.status : answer.kind))).toEqual([
        200, 401, 400,
      ]);
    });
  });
});
