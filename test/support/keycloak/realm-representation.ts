import type { JsonObject } from '../../../src/core/json.ts';
import type { ClientSetup, RealmSetup, UserSetup } from './keycloak.ts';

/** The setup as Keycloak imports it; the steps of a sign-in are made afterwards. */
export function realmRepresentation(name: string, setup: RealmSetup): JsonObject {
  const { clients, users = [], accessTokenLifespan = 300, acrLevels = [], more = {} } = setup;
  const roles = [...new Set(users.flatMap((user) => user.roles ?? []))];
  const levels = Object.fromEntries(acrLevels.map((acr, index) => [acr, index + 1]));
  return {
    realm: name,
    enabled: true,
    sslRequired: 'none',
    accessTokenLifespan,
    attributes: { 'acr.loa.map': JSON.stringify(levels) },
    roles: { realm: roles.map((role) => ({ name: role })) },
    clients: clients.map(clientRepresentation),
    users: users.map(userRepresentation),
    ...more,
  };
}

function clientRepresentation(client: ClientSetup): JsonObject {
  const { id, secret, certificate, audiences = [], redirectUris = [], more = {} } = client;
  return {
    clientId: id,
    enabled: true,
    ...(secret === undefined ? {} : { secret }),
    ...(certificate === undefined ? {} : { clientAuthenticatorType: 'client-jwt' }),
    serviceAccountsEnabled: true,
    directAccessGrantsEnabled: true,
    standardFlowEnabled: redirectUris.length > 0,
    redirectUris,
    attributes: {
      'dpop.bound.access.tokens': String(client.dpop ?? false),
      ...(certificate === undefined ? {} : { 'jwt.credential.certificate': pemBody(certificate) }),
    },
    protocolMappers: audiences.map((audience, index) => ({
      name: `audience-${index}`,
      protocol: 'openid-connect',
      protocolMapper: 'oidc-audience-mapper',
      config: {
        'included.custom.audience': audience,
        'access.token.claim': 'true',
        'introspection.token.claim': 'true',
      },
    })),
    ...more,
  };
}

function userRepresentation({ name, password, roles = [] }: UserSetup): JsonObject {
  return {
    username: name,
    enabled: true,
    // Without a whole profile Keycloak asks for the rest at the login page.
    email: `${name}@example.com`,
    emailVerified: true,
    firstName: name,
    lastName: 'Tester',
    credentials: [{ type: 'password', value: password, temporary: false }],
    realmRoles: roles,
  };
}

function pemBody(pem: string): string {
  return pem.replaceAll(/-----[A-Z ]+-----|\s/g, '');
}
