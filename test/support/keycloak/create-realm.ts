import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/core/json.ts';
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
    setClientEnabled: (client, enabled) => changeClient(inRealm, client, () => ({ enabled })),
    setBackchannelLogoutUrl: (client, url, { withSession }) =>
      changeClient(inRealm, client, ({ attributes }) => ({
        attributes: {
          ...(isJsonObject(attributes) ? attributes : {}),
          'backchannel.logout.url': url,
          'backchannel.logout.session.required': String(withSession),
        },
      })),
    async endSession(idToken) {
      const query = new URLSearchParams({ id_token_hint: idToken });
      const answer = await fetch(`${endpoint('logout')}?${query.toString()}`);
      if (!answer.ok) throw new Error(`not logged out: ${answer.status} ${await answer.text()}`);
    },
    rotateKeys: () => rotateKeys(inRealm, name),
    disableOldKeys: () => disableOldKeys(inRealm),
    admin: inRealm,
  };
}

async function changeClient(
  admin: Realm['admin'],
  client: string,
  change: (found: JsonObject) => JsonObject,
): Promise<void> {
  const [found] = listOf(await admin('GET', `/clients?clientId=${encodeURIComponent(client)}`));
  if (!isJsonObject(found)) throw new Error(`no client ${client}`);
  await admin('PUT', `/clients/${memberText(found, 'id')}`, { ...found, ...change(found) });
}

const keyProvider = 'org.keycloak.keys.KeyProvider';

/** The highest priority signs. */
async function rotateKeys(admin: Realm['admin'], realm: string): Promise<void> {
  const before = listOf(await admin('GET', `/components?type=${keyProvider}`));
  const { id: parentId = null } = (await admin('GET', '')) as Record<string, JsonValue>;
  const priority = String(1_000 + before.length);
  const config = { priority: [priority], enabled: ['true'], active: ['true'], algorithm: ['RS256'], keySize: ['2048'] };
  const component = { name: `rotated-${priority}-${realm}`, providerId: 'rsa-generated', config };
  await admin('POST', '/components', { ...component, providerType: keyProvider, parentId });
}

async function disableOldKeys(admin: Realm['admin']): Promise<void> {
  const signing = listOf(await admin('GET', `/components?type=${keyProvider}`))
    .filter(isJsonObject)
    .filter((component) => component['providerId'] === 'rsa-generated')
    .toSorted((a, b) => priorityOf(b) - priorityOf(a));
  for (const component of signing.slice(1)) {
    const config = isJsonObject(component['config']) ? component['config'] : {};
    const disabled = { ...config, enabled: ['false'], active: ['false'] };
    await admin('PUT', `/components/${memberText(component, 'id')}`, { ...component, config: disabled });
  }
}

function priorityOf({ config }: JsonObject): number {
  const priority = isJsonObject(config) ? config['priority'] : undefined;
  return Array.isArray(priority) ? Number(priority[0]) : 0;
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
