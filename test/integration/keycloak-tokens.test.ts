import { afterAll, beforeAll, expect, it } from 'vitest';
import { isJsonObject, ownMember, type JsonValue } from '../../src/core/json.ts';
import { exchange, type HttpAnswer } from '../../src/dev/http-exchange.ts';
import { outcomeOfAnswer } from '../../src/dev/outcome.ts';
import type { Keycloak, Realm } from '../support/keycloak/keycloak.ts';
import { startKeycloak } from '../support/keycloak/start-keycloak.ts';
import { describeWithKeycloak } from '../support/keycloak/with-keycloak.ts';
import { createDpopClient, type DpopClient } from './support/dpop-client.ts';
import { patientFilter } from './support/patient-filter.ts';
import { startStand, type Stand } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

/** The same tokens at two hosts: at one they are verified, at the other Keycloak is asked about them. */
const documents = (realm: Realm): string => `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: verified, namespace: shop}
spec:
  type: JWT
  jwt: {issuer: "${realm.issuer}", audiences: [orders], claims: {subject: preferred_username}}
---
apiVersion: v1
kind: Secret
metadata: {name: introspection-client, namespace: shop}
stringData: {client_id: introspector, client_secret: introspector-secret}
---
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: asked, namespace: shop}
spec:
  type: Introspection
  introspection:
    endpoint: "${realm.introspectionEndpoint}"
    issuer: "${realm.issuer}"
    audiences: [orders]
    clientAuthentication: {method: Post, secretRef: {name: introspection-client}}
    claims: {subject: preferred_username}
    timeout: 4s
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: verified, namespace: shop}
spec:
  hosts: [verified.example]
  authentication:
    providers: [{name: verified}]
    resourceMetadata: {resource: "https://verified.example/orders", scopes: [email]}
  rules:
  - {name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}
  - {name: mail, matches: [{path: {type: PathPrefix, value: /mail}}], access: Restricted, authorization: {scopes: {allOf: [email]}}}
  upstream: {headers: [{name: x-user, expression: identity.subject}]}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: asked, namespace: shop}
spec:
  hosts: [asked.example]
  authentication: {providers: [{name: asked}]}
  rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}]
  upstream: {headers: [{name: x-user, expression: identity.subject}]}
`;

const keyRefreshSeconds = 10;

describeWithEnvoy('tokens of a real Keycloak', (envoyBinary) => {
  describeWithKeycloak('through a real Envoy', () => {
    let keycloak: Keycloak;
    let realm: Realm;
    let stand: Stand;

    beforeAll(async () => {
      keycloak = await startKeycloak();
      realm = await keycloak.createRealm('demo', {
        clients: [
          { id: 'web', secret: 'web-secret', audiences: ['orders'] },
          { id: 'wallet', secret: 'wallet-secret', audiences: ['orders'], dpop: true },
          { id: 'introspector', secret: 'introspector-secret' },
        ],
        users: [{ name: 'alice', password: 'p' }],
      });
      const settings = [['--key-refresh-interval', [`${keyRefreshSeconds}s`]]] as const;
      stand = await startStand({ envoyBinary, policies: () => documents(realm), filter: patientFilter, settings });
    }, 300_000);
    afterAll(async () => {
      await stand?.close();
      await keycloak?.stop();
    });

    const send = (host: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> =>
      exchange(stand.port, { method: 'GET', path, headers: { host, ...headers } });
    const told = ({ status, body }: HttpAnswer): string => {
      const outcome = outcomeOfAnswer(status, body);
      return outcome.decision === 'allow' ? `200 ${outcome.upstream.get('x-user')}` : `${status} ${outcome.code}`;
    };
    const asBearer = async (token: string, host = 'verified.example', path = '/orders'): Promise<string> =>
      told(await send(host, path, { authorization: `Bearer ${token}` }));

    it.each(['verified.example', 'asked.example'])('bound to a key (DPoP), at %s', async (host) => {
      const uri = `https://${host}/orders`;
      const [client, thief] = [await createDpopClient(uri), await createDpopClient(uri)];
      await expect(realm.userTokens('wallet', 'alice')).rejects.toThrow(/DPoP/);
      const issue = async (): Promise<string> => {
        const dpop = await client.proveTokenRequest(realm.tokenEndpoint);
        return (await realm.userTokens('wallet', 'alice', { headers: { dpop } })).accessToken;
      };
      const token = await issue();
      const ask = async (proof: string, path = '/orders', scheme = 'DPoP'): Promise<string> =>
        told(await send(host, path, { authorization: `${scheme} ${token}`, dpop: proof }));
      const by = (who: DpopClient, changes: object = {}): Promise<string> => who.prove(token, changes);

      const proof = await by(client);
      expect([await ask(proof), await ask(proof)]).toEqual(['200 alice', '401 dpop_replayed']);
      expect({
        bearer: await asBearer(token, host),
        bearerWithProof: await ask(await by(client), '/orders', 'Bearer'),
        none: told(await send(host, '/orders', { authorization: `DPoP ${token}` })),
        ofAnotherKey: await ask(await by(thief)),
        ofAnotherMethod: await ask(await by(client, { htm: 'POST' })),
        ofAnotherUri: await ask(await by(client), '/invoices'),
        ofAnotherHost: await ask(await by(client, { htu: 'https://elsewhere.example/orders' })),
        ofAnotherToken: await ask(await client.prove(await issue())),
        old: await ask(await by(client, { iat: Math.floor(Date.now() / 1000) - 400 })),
      }).toEqual({
        bearer: '401 token_binding',
        bearerWithProof: '401 token_binding',
        none: '401 dpop_proof',
        ofAnotherKey: '401 token_binding',
        ofAnotherMethod: '401 dpop_proof',
        ofAnotherUri: '401 dpop_proof',
        ofAnotherHost: '401 dpop_proof',
        ofAnotherToken: '401 dpop_proof',
        old: '401 dpop_proof',
      });
      expect(await ask(await by(client))).toBe('200 alice');
      // One that is bound to nothing goes as Bearer, and as that alone.
      const plain = await realm.userTokens('web', 'alice');
      const dpop = await client.prove(plain.accessToken);
      expect([
        await asBearer(plain.accessToken, host),
        told(await send(host, '/orders', { authorization: `DPoP ${plain.accessToken}`, dpop })),
      ]).toEqual(['200 alice', '401 token_binding']);
    });

    it('a client that knows the URL alone finds out where tokens are from and which scopes to ask for (RFC 9728)', async () => {
      const denied = await send('verified.example', '/orders');
      const challenges = String(denied.headers['www-authenticate']);
      const metadataUrl = new URL(/Bearer [^,]*, resource_metadata="([^"]+)"/.exec(challenges)?.[1] ?? '');
      expect([denied.status, metadataUrl.href]).toEqual([
        401,
        'https://verified.example/.well-known/oauth-protected-resource/orders',
      ]);
      const metadata: JsonValue = JSON.parse((await send(metadataUrl.host, metadataUrl.pathname)).body);
      expect(metadata).toMatchObject({
        resource: 'https://verified.example/orders',
        authorization_servers: [realm.issuer],
        scopes_supported: ['email'],
      });
      const [server, scope] = ['authorization_servers', 'scopes_supported'].map((name) => firstOf(metadata, name));
      const discovery = await fetch(`${server}/.well-known/openid-configuration`);
      expect(await discovery.json()).toMatchObject({ issuer: server, token_endpoint: realm.tokenEndpoint });
      const { accessToken } = await realm.userTokens('web', 'alice', { scope: `openid ${scope}` });
      expect(await asBearer(accessToken, 'verified.example', '/mail')).toBe('200 alice');
    });

    it('a new key counts at once, and one that is withdrawn until the next look at the key set', async () => {
      const old = await realm.userTokens('web', 'alice');
      expect(await asBearer(old.accessToken)).toBe('200 alice');
      await realm.rotateKeys();
      const fresh = await realm.userTokens('web', 'alice');
      expect(keyIdOf(fresh.accessToken)).not.toBe(keyIdOf(old.accessToken));
      expect([await asBearer(fresh.accessToken), await asBearer(old.accessToken)]).toEqual(['200 alice', '200 alice']);
      await realm.disableOldKeys();
      // Never seen before: it is not out of a cache that it is still good.
      const unseen = await realm.userTokens('web', 'alice');
      expect(await asBearer(unseen.accessToken)).toBe('200 alice');
      await expect
        .poll(() => asBearer(old.accessToken), { timeout: (keyRefreshSeconds + 3) * 1000, interval: 100 })
        .toBe('401 token_key');
      expect([await asBearer(fresh.accessToken), await asBearer(unseen.accessToken)]).toEqual([
        '200 alice',
        '200 alice',
      ]);
    });
  });
});

function firstOf(metadata: JsonValue, name: string): string {
  const list = isJsonObject(metadata) ? ownMember(metadata, name) : undefined;
  const first: JsonValue | undefined = Array.isArray(list) ? list[0] : undefined;
  if (typeof first !== 'string') throw new Error(`the metadata have no ${name}`);
  return first;
}

function keyIdOf(token: string): unknown {
  const [header = ''] = token.split('.');
  const read: unknown = JSON.parse(Buffer.from(header, 'base64url').toString());
  return isJsonObject(read) ? ownMember(read, 'kid') : undefined;
}
