import { afterAll, beforeAll, expect, it } from 'vitest';
import { exchange, type HttpAnswer } from '../../src/dev/http-exchange.ts';
import { outcomeOfAnswer } from '../../src/dev/outcome.ts';
import { eventually } from '../support/eventually.ts';
import type { Keycloak, Realm, SignInOptions } from '../support/keycloak/keycloak.ts';
import { startKeycloak } from '../support/keycloak/start-keycloak.ts';
import { describeWithKeycloak } from '../support/keycloak/with-keycloak.ts';
import { patientFilter } from './support/patient-filter.ts';
import { startStand, type Stand } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

/** Seconds, beside the tolerance of stepUp. */
const maxAge = 1;
const toleranceSeconds = 30;

const documents = (realm: Realm): string => `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: keycloak, namespace: shop}
spec:
  type: JWT
  jwt:
    issuer: "${realm.issuer}"
    audiences: [orders]
    claims: {subject: preferred_username}
    logout: {audiences: [web, kiosk]}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: bank, namespace: shop}
spec:
  hosts: [bank.example]
  authentication: {providers: [{name: keycloak}]}
  rules:
  - {name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}
  - name: transfer
    matches: [{path: {type: PathPrefix, value: /transfer}}]
    access: Restricted
    authorization: {stepUp: {acr: {anyOf: [gold]}}}
  - name: password
    matches: [{path: {type: PathPrefix, value: /password}}]
    access: Restricted
    authorization: {stepUp: {maxAge: ${maxAge}s}}
  upstream: {headers: [{name: x-user, expression: identity.subject}]}
`;

describeWithEnvoy('sessions of a real Keycloak', (envoyBinary) => {
  describeWithKeycloak('through a real Envoy', () => {
    let keycloak: Keycloak;
    let realm: Realm;
    let stand: Stand;
    /** Signed in before all tests, to be old once they are over. */
    let old: string;
    let oldSince: number;

    beforeAll(async () => {
      keycloak = await startKeycloak();
      realm = await keycloak.createRealm('demo', {
        clients: ['web', 'kiosk'].map((id) => ({
          id,
          secret: `${id}-secret`,
          audiences: ['orders'],
          redirectUris: ['http://127.0.0.1/back'],
        })),
        users: ['alice', 'bob', 'carol', 'dave', 'erin'].map((name) => ({ name, password: 'p' })),
        acrLevels: ['silver', 'gold'],
      });
      stand = await startStand({ envoyBinary, policies: () => documents(realm), filter: patientFilter });
      const receiver = `http://${stand.portcullis.httpAddress}/backchannel-logout/shop/keycloak`;
      await realm.setBackchannelLogoutUrl('web', receiver, { withSession: true });
      await realm.setBackchannelLogoutUrl('kiosk', receiver, { withSession: false });
      old = (await realm.signIn('web', 'carol')).accessToken;
      oldSince = Date.now();
    }, 300_000);
    afterAll(async () => {
      await stand?.close();
      await keycloak?.stop();
    });

    const send = (token: string, path: string): Promise<HttpAnswer> =>
      exchange(stand.port, {
        method: 'GET',
        path,
        headers: { host: 'bank.example', authorization: `Bearer ${token}` },
      });
    const ask = async (token: string, path = '/'): Promise<string> => {
      const { status, body } = await send(token, path);
      const outcome = outcomeOfAnswer(status, body);
      return outcome.decision === 'allow' ? `200 ${outcome.upstream.get('x-user')}` : `${status} ${outcome.code}`;
    };
    const signIn = async (user: string, options?: SignInOptions): Promise<string> =>
      (await realm.signIn('web', user, options)).accessToken;
    /** What the answer asks for, as a client reads it (RFC 9470 3). */
    const challengeOf = async (token: string, path: string): Promise<string> => {
      const answer = await send(token, path);
      return `${answer.status} ${String(answer.headers['www-authenticate'])}`;
    };

    it('one who signed in with a password is asked for more (acr), and let in who brings it', async () => {
      const silver = await signIn('alice', { acrValues: 'silver' });
      expect([await ask(silver), await ask(silver, '/transfer')]).toEqual([
        '200 alice',
        '401 insufficient_user_authentication',
      ]);
      const challenge = await challengeOf(silver, '/transfer');
      expect(challenge).toMatch(/^401 Bearer realm="bank.example", error="insufficient_user_authentication", .*/);
      const acrValues = /acr_values="([^"]+)"/.exec(challenge)?.[1] ?? '';
      expect(acrValues).toBe('gold');
      const gold = await signIn('alice', { acrValues });
      expect([await ask(gold, '/transfer'), await ask(silver, '/transfer')]).toEqual([
        '200 alice',
        '401 insufficient_user_authentication',
      ]);
      // Nobody signed in at a page: there is no level that says how.
      const { accessToken } = await realm.userTokens('web', 'alice');
      expect([await ask(accessToken), await ask(accessToken, '/transfer')]).toEqual([
        '200 alice',
        '401 insufficient_user_authentication',
      ]);
    });

    it('who is logged out at Keycloak is out within a second, remembered or not, and nobody else is', async () => {
      const [dave, bob] = [await signIn('dave'), await signIn('bob')];
      const both = async (): Promise<readonly string[]> => [await ask(dave), await ask(bob)];
      expect([await both(), await both()]).toEqual([
        ['200 dave', '200 bob'],
        ['200 dave', '200 bob'],
      ]);
      await realm.logOut('dave');
      await eventually(async () => expect(await both()).toEqual(['401 token_revoked', '200 bob']), 1000);
      expect(await ask(await signIn('dave'))).toBe('200 dave');
    });

    it('a session that ends in one browser leaves those of others', async () => {
      const [here, there] = [await realm.signIn('web', 'bob'), await realm.signIn('web', 'bob')];
      expect([await ask(here.accessToken), await ask(there.accessToken)]).toEqual(['200 bob', '200 bob']);
      await realm.endSession(here.idToken);
      await eventually(async () => expect(await ask(here.accessToken)).toBe('401 token_revoked'), 1000);
      expect([await ask(there.accessToken), await ask(await signIn('bob'))]).toEqual(['200 bob', '200 bob']);
    });

    it('a logout of no session in particular ends all of the user that there are', async () => {
      const [here, there] = [await realm.signIn('kiosk', 'erin'), await realm.signIn('kiosk', 'erin')];
      const bob = await signIn('bob');
      expect([await ask(here.accessToken), await ask(there.accessToken)]).toEqual(['200 erin', '200 erin']);
      await realm.logOut('erin');
      await eventually(async () => {
        const both = [await ask(here.accessToken), await ask(there.accessToken)];
        expect(both).toEqual(['401 token_revoked', '401 token_revoked']);
      }, 1000);
      expect(await ask(bob)).toBe('200 bob');
      // A token of the very second in which the logout was told counts as issued before it.
      await eventually(async () =>
        expect(await ask((await realm.signIn('kiosk', 'erin')).accessToken)).toBe('200 erin'),
      );
    });

    it('who signed in too long ago is asked to do it again (max_age), and let in afterwards', async () => {
      expect(await ask(await signIn('carol'), '/password')).toBe('200 carol');
      await new Promise((resolve) =>
        setTimeout(resolve, oldSince + (maxAge + toleranceSeconds + 1) * 1000 - Date.now()),
      );
      expect([await ask(old), await ask(old, '/password')]).toEqual([
        '200 carol',
        '401 insufficient_user_authentication',
      ]);
      const challenge = await challengeOf(old, '/password');
      const asked = /max_age="?(\d+)"?/.exec(challenge)?.[1];
      expect([challenge, asked]).toEqual([expect.stringContaining('insufficient_user_authentication'), '1']);
      expect(await ask(await signIn('carol', { maxAge: Number(asked) }), '/password')).toBe('200 carol');
    });
  });
});
