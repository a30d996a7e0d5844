import type { JsonObject } from '../../../src/core/json.ts';
import type { TestPair } from '../../support/certificates.ts';

export interface EnvoyTls {
  /** What Envoy shows; undefined: nothing. */
  readonly own: TestPair | undefined;
  /** The issuers that it believes, PEM. */
  readonly trusted: string;
  /** Fields of `tls_params`. */
  readonly params?: JsonObject;
  /** What `alpn_protocols` says; `h2` where it is not given. Without any Envoy's health checks name no protocol. */
  readonly protocols?: readonly string[];
}

/** The `transport_socket` with which Envoy speaks TLS to Portcullis, as docs/tls.md shows it, but with the texts in it. */
export function envoyTls({ own, trusted, params = {}, protocols = ['h2'] }: EnvoyTls): JsonObject {
  const certificates =
    own === undefined
      ? []
      : [{ certificate_chain: { inline_string: own.certificate }, private_key: { inline_string: own.key } }];
  return {
    transport_socket: {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
        sni: 'portcullis.example',
        common_tls_context: {
          alpn_protocols: protocols,
          tls_params: params,
          tls_certificates: certificates,
          validation_context: {
            trusted_ca: { inline_string: trusted },
            match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'portcullis.example' } }],
          },
        },
      },
    },
  };
}

/** Envoy leaves a connection after so many requests, so that there are always new ones. */
export function shortConnections(requests: number): JsonObject {
  const type = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    typed_extension_protocol_options: {
      [type]: {
        '@type': `type.googleapis.com/${type}`,
        common_http_protocol_options: { max_requests_per_connection: requests },
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
}
