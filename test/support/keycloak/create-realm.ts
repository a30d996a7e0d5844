import { isJsonObject, type JsonValue } from '../../../src/core/json.ts';
import { bindStepUp } from './bind-step-up.ts';
import type { KeycloakAdmin } from './keycloak-admin.ts';
import type { Realm, RealmSetup } from './keycloak.ts';
import { memberText } from './member-text.ts';
import { realmRepresentation } from './realm-representation.ts';
import { signInAtLoginPage } from './sign-in.ts';
import { readTokens } from './token-request.ts';

export interface RealmPlace {
  readonly url: string;
  readonly name: string;
  readonly admin: KeycloakAdmin;
}

export async function createRealm({ url, name, admin }: RealmPlace, setup: RealmSetup): Promise<Realm> {
  await admin('POST', '', realmRepresentation(name, setup));
  const inRealm: Realm['admin'] = (method, path, body) => admin(method, `/${name}${path}`, body);
  if (setup.acrLevels !== undefined) await bindStepUp(inRealm, setup.acrLevels.length);
  const issuer = `${url}/realms/${name}`;
  const endpoint = (path: string): string => `${issuer}/protocol/openid-connect/${path}`;
  const post = (path: string, client: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(endpoint(path), {
      method: 'POST',
      headers,
      body: new URLSearchParams({ client_id: client, client_secret: secretOf(setup, client), ...fields }),
    });
  const passwordOf = (user: string): string =>
    setup.users?.find((one) => one.name === user)?.password ?? missing(`user ${user}`);
  return {
    issuer,
    tokenEndpoint: endpoint('token'),
    introspectionEndpoint: endpoint('token/introspect'),
    async clientToken(client, { scope = '', headers } = {}) {
      const fields = { grant_type: 'client_credentials', ...scoped(scope) };
      return (await readTokens(await post('token', client, fields, { ...headers }))).accessToken;
    },
    async userTokens(client, user, { scope = 'openid', headers } = {}) {
      const fields = { grant_type: 'password', username: user, password: passwordOf(user), ...scoped(scope) };
      return readTokens(await post('token', client, fields, { ...headers }));
    },
    async signIn(client, user, { headers, ...options } = {}) {
      const [redirectUri = missing(`redirect URI of ${client}`)] =
        setup.clients.find(({ id }) => id === client)?.redirectUris ?? [];
      const page = endpoint('auth');
      const who = { client, redirectUri, user, password: passwordOf(user) };
      const code = await signInAtLoginPage(page, who, options);
      const fields = { grant_type: 'authorization_code', code, redirect_uri: redirectUri };
      return readTokens(await post('token', client, fields, { ...headers }));
    },
    async revoke(client, token) {
      const answer = await post('revoke', client, { token });
      if (!answer.ok) throw new Error(`not revoked: ${answer.status} ${await answer.text()}`);
    },
    logOut: async (user) => void (await inRealm('POST', `/users/${await idOfUser(inRealm, user)}/logout`)),
    setUserEnabled: async (user, enabled) =>
      void (await inRealm('PUT', `/users/${await idOfUser(inRealm, user)}`, { enabled })),
    setClientEnabled: async (client, enabled) => {
      const [found] = listOf(await inRealm('GET', `/clients?clientId=${encodeURIComponent(client)}`));
      if (!isJsonObject(found)) throw new Error(`no client ${client}`);
      await inRealm('PUT', `/clients/${memberText(found, 'id')}`, { ...found, enabled });
    },
    rotateKeys: ({ withdrawOld }) => rotateKeys(inRealm, name, withdrawOld),
    admin: inRealm,
  };
}

/** The highest priority signs; a provider that is deleted takes its key out of the set. */
async function rotateKeys(admin: Realm['admin'], realm: string, withdrawOld: boolean): Promise<void> {
  const type = 'org.keycloak.keys.KeyProvider';
  const before = listOf(await admin('GET', `/components?type=${type}`));
  const { id: parentId = null } = (await admin('GET', '')) as Record<string, JsonValue>;
  const priority = String(1_000 + before.length);
  const config = { priority: [priority], enabled: ['true'], active: ['true'], algorithm: ['RS256'], keySize: ['2048'] };
  const name = `rotated-${priority}-${realm}`;
  await admin('POST', '/components', { name, providerId: 'rsa-generated', providerType: type, parentId, config });
  if (!withdrawOld) return;
  for (const component of before) {
    if (memberText(component, 'providerId') === 'rsa-generated')
      await admin('DELETE', `/components/${memberText(component, 'id')}`);
  }
}

async function idOfUser(admin: Realm['admin'], user: string): Promise<string> {
  const [found] = listOf(await admin('GET', `/users?exact=true&username=${encodeURIComponent(user)}`));
  return found === undefined ? missing(`user ${user}`) : memberText(found, 'id');
}

function secretOf({ clients }: RealmSetup, client: string): string {
  return clients.find(({ id }) => id === client)?.secret ?? missing(`secret of the client ${client}`);
}

function scoped(scope: string): Record<string, string> {
  return scope === '' ? {} : { scope };
}

function listOf(value: JsonValue): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function missing(what: string): never {
  throw new Error(`the realm has no ${what}`);
}
