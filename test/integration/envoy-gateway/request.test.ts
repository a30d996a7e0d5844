import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEchoUpstream } from '../../../src/dev/echo-upstream.ts';
import { startEnvoy } from '../../../src/dev/envoy-process.ts';
import { exchange, type HttpAnswer } from '../../../src/dev/http-exchange.ts';
import { startIssuer, type Issuer } from '../../../src/dev/issuer.ts';
import { outcomeOfAnswer } from '../../../src/dev/outcome.ts';
import { startPortcullis } from '../../../src/dev/start-portcullis.ts';
import { startFakeCheckServer, type FakeCheckServer } from '../support/fake-check-server.ts';
import { clusterServices, gatewayDocuments, policiesFor } from '../support/envoy-gateway/documents.ts';
import { stableCheck } from '../support/envoy-gateway/stable-check.ts';
import { staticConfig } from '../support/envoy-gateway/static-config.ts';
import { translate } from '../support/envoy-gateway/translate.ts';
import { describeWithEgctl } from '../support/envoy-gateway/with-egctl.ts';

const listener = 'shop/public/http';

describeWithEgctl('the Envoy of deploy/envoy-gateway', (parts) => {
  const closers: (() => unknown)[] = [];
  let issuer: Issuer;
  let fake: FakeCheckServer;
  /** An Envoy before Portcullis, one before a service that only notes what it is asked, one before nobody. */
  let deciding: number;
  let noting: number;
  let unanswered: number;

  /** Starts an Envoy before the service at the port, and answers its own. */
  let before: (port: number) => Promise<number>;

  beforeAll(async () => {
    issuer = await startIssuer(0, 'orders');
    closers.push(() => issuer.close());
    const upstream = await startEchoUpstream();
    closers.push(() => upstream.close());
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-gateway-'));
    closers.push(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'policy.yaml'), await policiesFor(issuer.issuer));
    const portcullis = await startPortcullis(folder);
    closers.push(() => portcullis.stop());
    fake = await startFakeCheckServer(() => ({ status: { code: 0 }, okResponse: {} }));
    closers.push(() => fake.close());
    const { xds } = await translate(parts.egctl, [...(await gatewayDocuments()), ...clusterServices], 'shop/public');
    before = async (port) => {
      const envoy = await startEnvoy(
        parts.envoy,
        staticConfig(xds, listener, { portcullis: port, upstream: upstream.port }),
      );
      closers.push(() => envoy.close());
      return envoy.port;
    };
    deciding = await before(portOf(portcullis.grpcAddress));
    noting = await before(portOf(fake.address));
    // The port of discarding: nobody listens there.
    unanswered = await before(9);
  });
  afterAll(async () => {
    for (const close of closers.toReversed()) await close();
  });

  const get = (port: number, host: string, path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> =>
    exchange(port, { method: 'GET', path, headers: { host, 'user-agent': 'test', ...headers } });
  const outcome = async (...request: Parameters<typeof get>): Promise<unknown> => {
    const { status, body } = await get(...request);
    return outcomeOfAnswer(status, body);
  };
  const bearer = async (claims: object): Promise<Record<string, string>> => ({
    authorization: `Bearer ${await issuer.sign({ sub: 'alice', ...claims })}`,
  });

  it('passes on what a policy of the host allows, and denies the rest', async () => {
    const token = await bearer({});
    const allowed = await outcome(deciding, 'shop.example', '/orders', token);
    expect(allowed).toMatchObject({ decision: 'allow' });
    expect((allowed as { readonly upstream: ReadonlyMap<string, string> }).upstream.get('x-user-id')).toBe('alice');
    expect(await outcome(deciding, 'shop.example', '/status')).toMatchObject({ decision: 'allow' });
    expect(await outcome(deciding, 'shop.example', '/orders')).toMatchObject({
      status: 401,
      code: 'credential_missing',
    });
    expect(await outcome(deciding, 'shop.example', '/status/x', token)).toMatchObject({ status: 403, code: 'no_rule' });
  });

  it('lets the policy decide that the SecurityPolicy of the route names', async () => {
    const read = await bearer({ scope: 'orders:read' });
    expect(await outcome(deciding, 'partners.example', '/orders', read)).toMatchObject({ decision: 'allow' });
    const denied = await outcome(deciding, 'partners.example', '/orders', await bearer({}));
    expect(denied).toMatchObject({ status: 403, code: 'insufficient_scope' });
  });

  it('does not let a client name a policy, nor go around one by another spelling of the path', async () => {
    const token = await bearer({});
    const named = { ...token, 'portcullis.dev-policy': 'shop/orders', 'x-portcullis-policy': 'shop/orders' };
    expect(await outcome(deciding, 'partners.example', '/orders', named)).toMatchObject({ code: 'insufficient_scope' });
    for (const path of ['/status/../orders', '/status/%2e%2e/orders', '//orders', '/%6frders'])
      expect([path, await outcome(deciding, 'shop.example', path)]).toMatchObject([
        path,
        { decision: 'deny', status: 401 },
      ]);
    // Envoy redirects to the decoded path before anybody is asked.
    expect((await get(deciding, 'shop.example', '/status%2f..%2forders')).status).toBe(307);
  });

  it('lets policies decide that are attached to the route, or to the rule of it, that Envoy Gateway says it chose', async () => {
    const ref = (name: string, section: string): string =>
      `{group: gateway.networking.k8s.io, kind: HTTPRoute, name: ${name}, sectionName: ${section}}`;
    const policy = (name: string, target: string, access: string): string =>
      `{apiVersion: portcullis.dev/v1alpha1, kind: AccessPolicy, metadata: {name: ${name}, namespace: shop}, spec: {targetRefs: [${target}], rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: ${access}}]}}`;
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-gateway-'));
    closers.push(() => rm(folder, { recursive: true }));
    const documents = [
      policy('status', ref('orders', 'status'), 'Public'),
      policy('orders', ref('orders', 'orders'), 'Denied'),
      ...(await gatewayDocuments()),
    ];
    await writeFile(join(folder, 'policy.yaml'), documents.join('\n---\n'));
    const portcullis = await startPortcullis(folder);
    closers.push(() => portcullis.stop());
    const port = await before(portOf(portcullis.grpcAddress));
    expect(await outcome(port, 'shop.example', '/status')).toMatchObject({ decision: 'allow' });
    expect(await outcome(port, 'shop.example', '/orders')).toMatchObject({ status: 403, code: 'denied' });
    expect(await outcome(port, 'partners.example', '/orders')).toMatchObject({ status: 403, code: 'no_policy' });
  });

  it('denies with 503 where nobody answers', async () => {
    expect((await get(unanswered, 'shop.example', '/status')).status).toBe(503);
    expect((await get(unanswered, 'partners.example', '/orders')).status).toBe(503);
  });

  it.each([
    ['route-metadata', 'shop.example', '/orders/1?a=b'],
    ['named-policy', 'partners.example', '/orders'],
  ])('asks as test/fixtures/envoy-gateway/%s.json says', async (name, host, path) => {
    expect((await get(noting, host, path, { 'x-test': 'a' })).status).toBe(200);
    const sent = stableCheck(fake.requests.at(-1) ?? {});
    const stored: unknown = JSON.parse(await readFile(`test/fixtures/envoy-gateway/${name}.json`, 'utf8'));
    expect(sent).toEqual(stored);
  });
});

function portOf(address: string): number {
  return Number(address.split(':').at(-1));
}
