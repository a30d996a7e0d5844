import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEchoUpstream, type Echo } from '../../src/dev/echo-upstream.ts';
import type { RunningEnvoy } from '../../src/dev/envoy-process.ts';
import type { LoopbackServer } from '../../src/dev/loopback-server.ts';
import { readDocuments } from '../../src/files/read-documents.ts';
import type { AuthorDocument } from '../../src/policy/spec.ts';
import { listenOverGrpc, type GrpcStand } from '../support/check-over-grpc.ts';
import { createDecisionStand, type DecisionStand } from '../support/decision-stand.ts';
import { documentsOf } from '../support/policy-test.ts';
import { rawHttp1 } from './support/raw-http1.ts';
import { startEnvoyBefore } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

const file = 'test/contract/access-policies.yaml';
const providers = 'test/contract/identity-providers.yaml';

/** The documents of the contract as they stand, by name. */
function contract(path: string, ...names: string[]): AuthorDocument[] {
  return readDocuments(path, readFileSync(path, 'utf8')).filter(({ value }) =>
    names.includes((value as { metadata: { name: string } }).metadata.name),
  );
}

/** The floor of the contract without what this version refuses by name. */
function floor(): readonly AuthorDocument[] {
  const text =
    readFileSync(file, 'utf8')
      .split('---')
      .find((part) => part.includes('kind: ClusterAccessPolicy')) ?? '';
  return documentsOf(text.replace(/^ {2}(requirements|rateLimits): .*\n/gm, ''), 'floor.yaml');
}

/** `orders` names CEL, step-up, header and query matches, dressed denials: all of the policy language at once. */
describeWithEnvoy('the documents orders, by-name and floor of the contract, through a real Envoy on', (envoyBinary) => {
  describe.each(['grpc-js', 'native'] as const)('%s', (transport) => {
    let stand: DecisionStand;
    let grpc: GrpcStand;
    let upstream: LoopbackServer;
    const envoys: RunningEnvoy[] = [];
    let byHost = 0;
    let byName = 0;

    beforeAll(async () => {
      const documents = [
        ...contract(file, 'orders', 'by-name'),
        ...contract(providers, 'okta', 'keycloak'),
        ...floor(),
      ];
      const claims = { sub: 'alice', scope: 'orders:read', roles: ['reader'], tenant: 'acme', email_verified: true };
      stand = await createDecisionStand(documents, {
        trustedHops: 1,
        issuers: { okta: { alg: 'RS256' }, keycloak: { alg: 'RS256' } },
        tokens: {
          alice: { issuer: 'okta', claims },
          admin: {
            issuer: 'okta',
            claims: { ...claims, roles: ['admin'], acr: 'mfa', amr: ['otp'], auth_time: '-60s' },
          },
          weak: { issuer: 'okta', claims: { ...claims, roles: ['admin'] } },
          realm: {
            issuer: 'keycloak',
            claims: { sub: 'kc', scope: 'realm-admin', acr: 'mfa', amr: ['mfa'], auth_time: '-60s' },
          },
        },
      });
      expect(stand.engine.status().documents.filter(({ accepted }) => !accepted)).toEqual([]);
      grpc = await listenOverGrpc(stand, transport);
      upstream = await startEchoUpstream();
      const named = {
        match: { prefix: '/' },
        route: { cluster: 'upstream' },
        typed_per_filter_config: {
          'envoy.filters.http.ext_authz': {
            '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute',
            check_settings: { context_extensions: { 'portcullis.dev/policy': 'shop/by-name' } },
          },
        },
      };
      envoys.push(await startEnvoyBefore(grpc.address, upstream.port, { envoyBinary }));
      envoys.push(await startEnvoyBefore(grpc.address, upstream.port, { envoyBinary, routes: [named] }));
      [byHost = 0, byName = 0] = envoys.map(({ port }) => port);
    }, 60_000);
    afterAll(async () => {
      for (const envoy of envoys) await envoy.close();
      await upstream.close();
      await grpc.close();
      stand.close();
    });

    interface Request {
      readonly path: string;
      readonly method?: string;
      readonly token?: string;
      readonly headers?: readonly string[];
      readonly client?: string;
      readonly port?: number;
    }

    async function ask({ path, method = 'GET', token, headers = [], client = '10.1.2.3', port = byHost }: Request) {
      const authorization = token === undefined ? [] : [`authorization: Bearer ${await stand.mint.mint(token)}`];
      return rawHttp1(port, [
        `${method} ${path} HTTP/1.1`,
        'host: api.example.com',
        `x-forwarded-for: ${client}`,
        ...authorization,
        ...headers,
      ]);
    }

    const read = { path: '/orders?view=full', headers: ['x-version: 2', 'x-tenant: acme'] };

    test.each<[string, Request, number, string]>([
      ['a reader of the tenant reads', { ...read, token: 'alice' }, 200, ''],
      ['without a token it is told how', read, 401, 'credential_missing'],
      [
        'another version of the API matches no rule',
        { ...read, headers: ['x-version: 1', 'x-tenant: acme'], token: 'alice' },
        403,
        'forbidden',
      ],
      [
        'the tenant header must be the token’s',
        { ...read, headers: ['x-version: 2', 'x-tenant: globex'], token: 'alice' },
        403,
        'forbidden',
      ],
      ['an admin who stepped up is let in', { path: '/admin/users', token: 'admin' }, 200, ''],
      ['and from the other issuer', { path: '/admin/users', token: 'realm' }, 200, ''],
      [
        'an admin who did not is asked to',
        { path: '/admin/users', token: 'weak' },
        401,
        'insufficient_user_authentication',
      ],
      ['from elsewhere is refused', { path: '/admin/users', token: 'admin', client: '198.51.100.1' }, 403, 'forbidden'],
      ['health is public', { path: '/healthz' }, 200, ''],
      ['home identifies who wants it', { path: '/', token: 'alice' }, 200, ''],
      ['home takes everybody', { path: '/' }, 200, ''],
      ['debug is denied to all', { path: '/orders/debug', token: 'admin' }, 403, 'forbidden'],
      ['the floor denies everywhere', { path: '/me/.git/config', token: 'alice' }, 403, 'denied'],
      ['the floor denies an address', { path: '/healthz', client: '192.0.2.9' }, 403, 'address_denied'],
      ['the named policy decides where the proxy names it', { path: '/anything', token: 'alice', port: 0 }, 200, ''],
      ['and asks for its scope', { path: '/anything', token: 'realm', port: 0 }, 401, 'token_issuer'],
      ['the floor covers it too', { path: '/x/.git/y', token: 'alice', port: 0 }, 403, 'denied'],
    ])('%s', async (_title, request, status, code) => {
      const answer = await ask(request.port === 0 ? { ...request, port: byName } : request);
      expect([answer.status, status === 200 ? '' : (JSON.parse(answer.body) as { error: string }).error]).toEqual([
        status,
        code,
      ]);
    });

    test('the upstream hears who it is, and nothing of what a client says in our name', async () => {
      const answer = await ask({
        ...read,
        token: 'alice',
        headers: [...read.headers, 'x-user-id: root', 'x_user_roles: admin', 'x-internal-debug: 1'],
      });
      const { headers } = JSON.parse(answer.body) as Echo;
      expect(headers).toMatchObject({
        'x-user-id': ['alice'],
        'x-user-roles': ['reader'],
        'x-gateway': ['portcullis'],
      });
      for (const name of ['authorization', 'x_user_roles', 'x-internal-debug'])
        expect(headers).not.toHaveProperty([name]);
      expect(answer.headers).toContainEqual(['strict-transport-security', 'max-age=31536000']);
    });
  });
});
