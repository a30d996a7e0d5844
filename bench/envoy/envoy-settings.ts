import { envoyConfig } from '../../src/dev/envoy-config.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { audience, hostName } from '../policy-folder.ts';

/** What Envoy asks before it answers. The order is that of the table. */
export const settings = {
  'no-authorization': 'Envoy alone: every request is allowed',
  'own-filters': "Envoy's own jwt_authn and RBAC filters, with the same keys and rules",
  'own-filters-cached': 'the same, jwt_authn remembers tokens (jwt_cache_config)',
  native: 'Portcullis over ext_authz, our own transport',
  'grpc-js': 'Portcullis over ext_authz, @grpc/grpc-js',
} as const;

export type SettingName = keyof typeof settings;

export interface EnvoyNeeds {
  readonly port: number;
  /** Where Portcullis listens; undefined where Envoy asks nobody. */
  readonly authorizationPort: number | undefined;
  readonly issuer: string;
  /** The keys of the issuer, as it publishes them. */
  readonly keys: string;
  readonly upstreamPort: number;
}

/** Where nobody is; nor is anybody asked there. */
const nobody = 9;

export function envoyConfigOf(name: SettingName, needs: EnvoyNeeds): JsonObject {
  const { port, authorizationPort, issuer, keys, upstreamPort } = needs;
  const filters = ownFiltersOf(name, issuer, keys);
  return envoyConfig({
    port,
    upstreamPort,
    authorizationAddress: `127.0.0.1:${authorizationPort ?? nobody}`,
    connectionManager: filters === undefined ? undefined : { http_filters: [...filters, router] },
  });
}

/** The upstream of all of them: another Envoy, which answers at once and shows who was let through, and whether the token came along. */
export function upstreamConfig(port: number): JsonObject {
  const answer = { direct_response: { status: 200, body: { inline_string: 'ok' } } };
  const told = (key: string, value: string): JsonObject => ({ header: { key, value } });
  const user = told('x-seen-user', '%REQ(x-user-id)%');
  return envoyConfig({
    port,
    upstreamPort: nobody,
    authorizationAddress: `127.0.0.1:${nobody}`,
    connectionManager: { http_filters: [router] },
    routes: [
      {
        match: { prefix: '/', headers: [{ name: 'authorization', present_match: true }] },
        response_headers_to_add: [user, told('x-seen-token', 'yes')],
        ...answer,
      },
      { match: { prefix: '/' }, response_headers_to_add: [user], ...answer },
    ],
  });
}

function ownFiltersOf(name: SettingName, issuer: string, keys: string): readonly JsonObject[] | undefined {
  switch (name) {
    case 'no-authorization':
      return [];
    case 'own-filters':
      return [jwtAuthn(issuer, keys, {}), rbac];
    case 'own-filters-cached':
      return [jwtAuthn(issuer, keys, { jwt_cache_config: { jwt_cache_size: 1000 } }), rbac];
    case 'native':
    case 'grpc-js':
      return undefined;
  }
}

const http = 'type.googleapis.com/envoy.extensions.filters.http';
const jwtFilter = 'envoy.filters.http.jwt_authn';

const router: JsonObject = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': `${http}.router.v3.Router` },
};

/** As the bench's IdentityProvider and the headers of its policy. */
function jwtAuthn(issuer: string, keys: string, others: JsonObject): JsonObject {
  const provider = {
    issuer,
    audiences: [audience],
    local_jwks: { inline_string: keys },
    payload_in_metadata: 'jwt',
    claim_to_headers: [
      { header_name: 'x-user-id', claim_name: 'sub' },
      { header_name: 'x-user-roles', claim_name: 'roles' },
    ],
    ...others,
  };
  return {
    name: jwtFilter,
    typed_config: {
      '@type': `${http}.jwt_authn.v3.JwtAuthentication`,
      providers: { bench: provider },
      rules: [
        { match: { path: '/service-0/health' } },
        { match: { prefix: '/' }, requires: { provider_name: 'bench' } },
      ],
    },
  };
}

const onHost = header(':authority', { exact: hostName(0) });
const belowService: JsonObject = { url_path: { path: { prefix: '/service-0/' } } };

/** The three rules of the bench's policy. */
const rbac: JsonObject = {
  name: 'envoy.filters.http.rbac',
  typed_config: {
    '@type': `${http}.rbac.v3.RBAC`,
    rules: {
      action: 'ALLOW',
      policies: {
        health: {
          permissions: [allOf(onHost, { url_path: { path: { exact: '/service-0/health' } } })],
          principals: [{ any: true }],
        },
        read: {
          permissions: [allOf(onHost, belowService, methods('GET', 'HEAD'))],
          principals: [role('reader'), role('clerk')],
        },
        write: {
          permissions: [allOf(onHost, belowService, methods('POST', 'PUT', 'PATCH', 'DELETE'))],
          principals: [role('clerk')],
        },
      },
    },
  },
};

function header(name: string, match: JsonObject): JsonObject {
  return { header: { name, string_match: match } };
}

function allOf(...rules: readonly JsonValue[]): JsonObject {
  return { and_rules: { rules } };
}

function methods(...names: readonly string[]): JsonObject {
  return { or_rules: { rules: names.map((exact) => header(':method', { exact })) } };
}

function role(name: string): JsonObject {
  const value = { list_match: { one_of: { string_match: { exact: name } } } };
  const matcher = { filter: jwtFilter, path: [{ key: 'jwt' }, { key: 'roles' }], value };
  return { sourced_metadata: { metadata_matcher: matcher, metadata_source: 'DYNAMIC' } };
}
