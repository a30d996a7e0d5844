import type { JsonObject, JsonValue } from '../core/json.ts';

/** What stands behind and beside the Envoy of a demonstration or a test. Ports are of 127.0.0.1. */
export interface EnvoySetup {
  /** 0: any that is free. */
  readonly port: number;
  readonly upstreamPort: number;
  /** Where Portcullis listens: `127.0.0.1:9001` or `unix:PATH`. */
  readonly authorizationAddress: string;
  /** Fields of the cluster of Portcullis in place of ours, such as `transport_socket`. */
  readonly authorizationCluster?: JsonObject | undefined;
  /** Fields of the ext_authz filter in place of ours, such as `failure_mode_allow`. */
  readonly filter?: JsonObject | undefined;
  /** Fields of the HTTP connection manager in place of ours, such as `normalize_path`. */
  readonly connectionManager?: JsonObject | undefined;
  /** Fields of the filter chain of the listener, such as `transport_socket`. */
  readonly filterChain?: JsonObject | undefined;
  /** In place of the one route that sends everything to the upstream; the cluster's name is `upstream`. */
  readonly routes?: readonly JsonObject[] | undefined;
}

const extensions = 'type.googleapis.com/envoy.extensions';

/**
 * A static bootstrap configuration: one listener, the ext_authz filter asking over gRPC, one upstream. Paths are not normalised, so
 * that what a client sends is what Portcullis judges, and no answer is never yes (`failure_mode_allow: false`).
 */
export function envoyConfig(setup: EnvoySetup): JsonObject {
  return {
    admin: { address: socketAddress('127.0.0.1', 0) },
    static_resources: {
      listeners: [
        {
          name: 'http',
          address: socketAddress('127.0.0.1', setup.port),
          filter_chains: [
            {
              filters: [typed('envoy.filters.network.http_connection_manager', connectionManager(setup))],
              ...setup.filterChain,
            },
          ],
        },
      ],
      clusters: [
        cluster('upstream', socketAddress('127.0.0.1', setup.upstreamPort)),
        { ...cluster('portcullis', toAddress(setup.authorizationAddress)), ...http2(), ...setup.authorizationCluster },
      ],
    },
  };
}

function connectionManager(setup: EnvoySetup): JsonObject {
  const catchAll = { match: { prefix: '/' }, route: { cluster: 'upstream' } };
  return {
    '@type': `${extensions}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'http',
    codec_type: 'AUTO',
    route_config: {
      name: 'routes',
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: setup.routes ?? [catchAll] }],
    },
    http_filters: [
      typed('envoy.filters.http.ext_authz', extAuthz(setup.filter ?? {})),
      typed('envoy.filters.http.router', { '@type': `${extensions}.filters.http.router.v3.Router` }),
    ],
    ...setup.connectionManager,
  };
}

function extAuthz(overrides: JsonObject): JsonObject {
  return {
    '@type': `${extensions}.filters.http.ext_authz.v3.ExtAuthz`,
    transport_api_version: 'V3',
    failure_mode_allow: false,
    grpc_service: { envoy_grpc: { cluster_name: 'portcullis' }, timeout: '0.5s' },
    ...overrides,
  };
}

function typed(name: string, config: JsonObject): JsonObject {
  return { name, typed_config: config };
}

function cluster(name: string, address: JsonObject): JsonObject {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

function http2(): JsonObject {
  return {
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': `${extensions}.upstreams.http.v3.HttpProtocolOptions`,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
}

function toAddress(address: string): JsonObject {
  if (address.startsWith('unix:')) return { pipe: { path: address.slice('unix:'.length) } };
  const colon = address.lastIndexOf(':');
  return socketAddress(address.slice(0, colon).replace(/^\[|\]$/gu, ''), Number(address.slice(colon + 1)));
}

function socketAddress(address: string, port: number): { readonly socket_address: JsonValue } {
  return { socket_address: { address, port_value: port } };
}
