import { afterAll, beforeAll, expect, it } from 'vitest';
import { exchange } from '../../src/dev/http-exchange.ts';
import { outcomeOfAnswer } from '../../src/dev/outcome.ts';
import type { Keycloak, Realm } from '../support/keycloak/keycloak.ts';
import { startKeycloak } from '../support/keycloak/start-keycloak.ts';
import { describeWithKeycloak } from '../support/keycloak/with-keycloak.ts';
import { patientFilter } from './support/patient-filter.ts';
import { startStand, type Stand } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

const secret = 'keycloak secret+/:%';

const documents = (realm: Realm): string => `
apiVersion: v1
kind: Secret
metadata: {name: introspection-client, namespace: shop}
stringData: {client_id: introspector, client_secret: "${secret}"}
---
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: keycloak, namespace: shop}
spec:
  type: Introspection
  introspection:
    endpoint: "${realm.introspectionEndpoint}"
    issuer: "${realm.issuer}"
    audiences: [orders]
    clientAuthentication: {method: Basic, secretRef: {name: introspection-client}}
    claims: {subject: preferred_username, roles: ["/realm_access/roles"]}
    cache: {ttl: 1s}
    timeout: 4s
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  hosts: [shop.example]
  authentication: {providers: [{name: keycloak}]}
  rules:
  - {name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}
  - {name: admin, matches: [{path: {type: PathPrefix, value: /admin}}], access: Restricted, authorization: {roles: {anyOf: [orders-admin]}}}
  upstream: {headers: [{name: x-user, expression: identity.subject}, {name: x-client, expression: identity.clientId}]}
`;

describeWithEnvoy('tokens of a real Keycloak, asked about', (envoyBinary) => {
  describeWithKeycloak('through a real Envoy', () => {
    let keycloak: Keycloak;
    let realm: Realm;
    let stand: Stand;

    beforeAll(async () => {
      keycloak = await startKeycloak();
      realm = await keycloak.createRealm('demo', {
        clients: [
          { id: 'web', secret: 'web-secret', audiences: ['orders'] },
          { id: 'other', secret: 'other-secret', audiences: ['billing'] },
          { id: 'introspector', secret },
        ],
        users: [
          { name: 'alice', password: 'p', roles: ['orders-admin'] },
          { name: 'bob', password: 'p' },
        ],
      });
      stand = await startStand({ envoyBinary, policies: () => documents(realm), filter: patientFilter });
    }, 300_000);
    afterAll(async () => {
      await stand?.close();
      await keycloak?.stop();
    });

    async function ask(token: string, path = '/orders'): Promise<unknown> {
      const headers = { host: 'shop.example', authorization: `Bearer ${token}` };
      const answer = await exchange(stand.port, { method: 'GET', path, headers });
      const outcome = outcomeOfAnswer(answer.status, answer.body);
      if (outcome.decision === 'deny') return [answer.status, outcome.code];
      return [answer.status, outcome.upstream.get('x-user'), outcome.upstream.get('x-client')];
    }

    it('those of a client and of a user are allowed; of another audience, made up or changed they are refused', async () => {
      const token = await realm.clientToken('web');
      expect(await ask(token)).toEqual([200, 'service-account-web', 'web']);
      const { accessToken } = await realm.userTokens('web', 'alice');
      expect(await ask(accessToken)).toEqual([200, 'alice', 'web']);
      expect(await ask(await realm.clientToken('other'))).toEqual([401, 'token_audience']);
      expect(await ask(`${token.slice(0, -4)}AAAA`)).toEqual([401, 'token_inactive']);
      expect(await ask('made-up')).toEqual([401, 'token_inactive']);
    });

    it('roles are those of the realm', async () => {
      const [alice, bob] = [await realm.userTokens('web', 'alice'), await realm.userTokens('web', 'bob')];
      expect(await ask(alice.accessToken, '/admin')).toEqual([200, 'alice', 'web']);
      expect(await ask(bob.accessToken, '/admin')).toEqual([403, 'role_missing']);
    });

    it('a refresh token is no access token, though Keycloak calls it active and gives it our audience', async () => {
      const { accessToken, refreshToken, idToken } = await realm.userTokens('web', 'alice');
      expect(await ask(refreshToken)).toEqual([401, 'token_type']);
      expect((await ask(idToken)) as unknown[]).toEqual([401, expect.stringMatching(/^token_/)]);
      expect(await ask(accessToken)).toEqual([200, 'alice', 'web']);
    });

    it.each<[string, (token: string) => Promise<void>, () => Promise<void>]>([
      ['that is revoked', (token) => realm.revoke('web', token), () => Promise.resolve()],
      ['of a user who is logged out', () => realm.logOut('bob'), () => Promise.resolve()],
      ['of a user who is disabled', () => realm.setUserEnabled('bob', false), () => realm.setUserEnabled('bob', true)],
      [
        'of a client that is disabled',
        () => realm.setClientEnabled('web', false),
        () => realm.setClientEnabled('web', true),
      ],
    ])('a token %s is refused once its answer is older than the ttl', async (_title, end, undo) => {
      const { accessToken } = await realm.userTokens('web', 'bob');
      expect(await ask(accessToken)).toEqual([200, 'bob', 'web']);
      await end(accessToken);
      try {
        await expect.poll(() => ask(accessToken), { timeout: 5_000, interval: 100 }).toEqual([401, 'token_inactive']);
      } finally {
        await undo();
      }
    });

    it('while Keycloak hangs all is 503, and then as before', async () => {
      const [known, fresh] = [await realm.clientToken('web'), await realm.clientToken('web')];
      expect(await ask(known)).toEqual([200, 'service-account-web', 'web']);
      // The check may be over before the question is.
      const unanswered = [503, expect.stringMatching(/^(introspection_unavailable|deadline_exceeded)$/)];
      await keycloak.pause();
      try {
        expect(await ask(fresh)).toEqual(unanswered);
        await expect.poll(() => ask(known), { timeout: 10_000 }).toEqual(unanswered);
      } finally {
        keycloak.resume();
      }
      await expect
        .poll(() => ask(fresh), { timeout: 20_000, interval: 200 })
        .toEqual([200, 'service-account-web', 'web']);
    });
  });
});
