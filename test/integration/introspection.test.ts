import { afterAll, beforeAll, expect, it } from 'vitest';
import { outcomeOfAnswer } from '../../src/dev/outcome.ts';
import { exchange } from '../../src/dev/http-exchange.ts';
import {
  assertionKey,
  resourceServerSecret,
  startOidcProvider,
  type OidcProvider,
} from '../support/oidc-provider/start-oidc-provider.ts';
import { getText } from './support/serve-process.ts';
import { patientFilter } from './support/patient-filter.ts';
import { startStand, type Stand } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

interface ProviderSetup {
  readonly name: string;
  readonly client: string;
  readonly method?: 'Basic' | 'Post' | 'PrivateKeyJWT';
  readonly secret?: string;
  /** Further fields of `introspection`. */
  readonly more?: string;
}

const pem = assertionKey.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const setups: readonly ProviderSetup[] = [
  { name: 'basic', client: 'portcullis' },
  { name: 'post', client: 'posting', method: 'Post' },
  { name: 'assertion', client: 'asserting', method: 'PrivateKeyJWT', more: 'cache: {ttl: 0s}' },
  { name: 'signed', client: 'signed', more: 'signedAnswers: Required, cache: {ttl: 0s}' },
  { name: 'fresh', client: 'portcullis', more: 'cache: {ttl: 0s}' },
  { name: 'brief', client: 'portcullis', more: 'cache: {ttl: 1s}' },
  { name: 'stranger', client: 'portcullis', secret: 'canary-wrong-secret' },
  { name: 'others', client: 'portcullis', more: 'cache: {ttl: 0s}, audiences: [billing]' },
];

function documents(
  issuer: string,
  endpoint: string,
  { name, client, method = 'Basic', secret, more }: ProviderSetup,
): string {
  const data = {
    client_id: client,
    client_secret: secret ?? resourceServerSecret,
    private_key: pem,
    key_id: 'portcullis-1',
  };
  const audiences = more?.includes('audiences') === true ? '' : ', audiences: [orders]';
  return `
apiVersion: v1
kind: Secret
metadata: {name: ${name}, namespace: shop}
stringData: ${JSON.stringify(data)}
---
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: ${name}, namespace: shop}
spec:
  type: Introspection
  introspection: {endpoint: "${endpoint}", issuer: "${issuer}"${audiences}, clientAuthentication: {method: ${method}, secretRef: {name: ${name}}}${more === undefined ? '' : `, ${more}`}}
---
${policy(`${name}.example`, `[{name: ${name}}]`)}`;
}

function policy(host: string, providers: string): string {
  return `apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: ${host}, namespace: shop}
spec:
  hosts: [${host}]
  authentication: {providers: ${providers}}
  rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Restricted, authorization: {scopes: {allOf: ["orders:read"]}}}]
  upstream: {headers: [{name: x-client, expression: identity.clientId}, {name: x-provider, expression: identity.provider}, {name: x-sub, expression: identity.subject}]}
`;
}

describeWithEnvoy('opaque tokens of a real authorization server, through a real Envoy', (envoyBinary) => {
  let oidc: OidcProvider;
  let stand: Stand;

  beforeAll(async () => {
    oidc = await startOidcProvider();
    const both = (jwtIssuer: string): string => `apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: jwt, namespace: shop}
spec: {type: JWT, jwt: {issuer: "${jwtIssuer}", audiences: [orders]}}
---
${policy('both.example', '[{name: jwt}, {name: fresh}]')}`;
    const policies = (jwtIssuer: string): string =>
      [...setups.map((setup) => documents(oidc.issuer, oidc.introspectionEndpoint, setup)), both(jwtIssuer)].join(
        '---\n',
      );
    stand = await startStand({ envoyBinary, policies, filter: patientFilter });
  });
  afterAll(async () => {
    await stand.close();
    await oidc.close();
  });

  async function ask(name: string, token: string): Promise<unknown> {
    const headers = { host: `${name}.example`, authorization: `Bearer ${token}`, 'x-client': 'root' };
    const answer = await exchange(stand.port, { method: 'GET', path: '/orders', headers });
    const outcome = outcomeOfAnswer(answer.status, answer.body);
    if (outcome.decision === 'deny') return [answer.status, outcome.code];
    const { upstream } = outcome;
    expect(upstream.get('authorization')).toBeUndefined();
    return [answer.status, upstream.get('x-provider'), upstream.get('x-client'), upstream.get('x-sub') ?? ''];
  }

  it.each(['basic', 'post', 'assertion', 'signed'])(
    '%s: a token is allowed, a revoked and an unknown one refused',
    async (name) => {
      const [good, revoked] = [await oidc.token(), await oidc.token()];
      await oidc.revoke(revoked);
      expect(await ask(name, good)).toEqual([200, name, 'web', '']);
      expect(await ask(name, good)).toEqual([200, name, 'web', '']);
      expect(await ask(name, revoked)).toEqual([401, 'token_inactive']);
      expect(await ask(name, 'nobody-knows-it')).toEqual([401, 'token_inactive']);
    },
  );

  it('a token that is revoked is refused at once with a ttl of 0s, else after the ttl', async () => {
    const token = await oidc.token();
    const allowed = (name: string) => [200, name, 'web', ''];
    expect([await ask('fresh', token), await ask('brief', token)]).toEqual([allowed('fresh'), allowed('brief')]);
    await oidc.revoke(token);
    expect(await ask('fresh', token)).toEqual([401, 'token_inactive']);
    await expect.poll(() => ask('brief', token), { timeout: 3_000, interval: 100 }).toEqual([401, 'token_inactive']);
  });

  it('the server is asked once about a token that is remembered', async () => {
    const token = await oidc.token();
    const before = oidc.introspections.length;
    for (let i = 0; i < 5; i++) await ask('basic', token);
    expect(oidc.introspections.length - before).toBe(1);
  });

  it('a token for another audience is refused', async () => {
    expect(await ask('others', await oidc.token())).toEqual([401, 'token_audience']);
  });

  it('with a wrong secret all is 503', async () => {
    expect(await ask('stranger', await oidc.token())).toEqual([503, 'introspection_unavailable']);
  });

  it('S17: JWTs and opaque tokens in one place: each goes to its own judge, and a JWT of the issuer never to the other', async () => {
    const opaque = await oidc.token();
    const jwt = await stand.issuer.sign({ sub: 'alice', scope: 'orders:read', client_id: 'app' });
    const before = oidc.introspections.length;
    expect(await ask('both', jwt)).toEqual([200, 'jwt', 'app', 'alice']);
    const [head = '', body = '', signature = ''] = jwt.split('.');
    expect(await ask('both', [head, body, `${signature.slice(0, -4)}AAAA`].join('.'))).toEqual([
      401,
      'token_signature',
    ]);
    expect(oidc.introspections.length - before).toBe(0);
    expect(await ask('both', opaque)).toEqual([200, 'fresh', 'web', '']);
    const foreign = await stand.issuer.sign({ sub: 'alice', scope: 'orders:read', iss: 'https://other.example' });
    // The server refuses to say anything of a JWT (status 400), which is no answer.
    expect(await ask('both', foreign)).toEqual([503, 'introspection_unavailable']);
    expect(oidc.introspections.length - before).toBe(2);
  });

  it('no token and no secret is in the metrics, the admin page or its JSON', async () => {
    const token = await oidc.token();
    for (const { name } of setups) await ask(name, token);
    const pages = await Promise.all([
      getText(portOf(stand.portcullis.httpAddress), '/metrics'),
      getText(portOf(stand.portcullis.adminAddress), '/'),
      getText(portOf(stand.portcullis.adminAddress), '/api/status'),
    ]);
    const text = pages.map((page) => page.text).join('\n');
    const [counted = ''] =
      /portcullis_introspection_requests_total\{.*shop\/basic",result="active"\} \d+/.exec(text) ?? [];
    expect(counted).toMatch(/ [1-9]\d*$/);
    expect(text.includes(`${oidc.introspectionEndpoint} refuses our client (status 401)`)).toBe(true);
    for (const secret of [token, resourceServerSecret, 'canary', pem.slice(100, 140), btoa('portcullis').slice(0, 12)])
      expect([secret, text.includes(secret)]).toEqual([secret, false]);
  });
});

function portOf(address: string | undefined): number {
  return Number(address?.split(':').at(-1));
}
