/**
 * The fields that a decision reads of a CheckRequest: their numbers by Envoy's messages and names. All of them are length-delimited;
 * a test holds the numbers against Envoy's definitions.
 */
export const checkRequestFields = {
  'envoy.service.auth.v3.CheckRequest': { attributes: 1 },
  'envoy.service.auth.v3.AttributeContext': {
    source: 1,
    request: 4,
    context_extensions: 10,
    route_metadata_context: 13,
  },
  'envoy.service.auth.v3.AttributeContext.Peer': { address: 1, principal: 4, certificate: 5 },
  'envoy.config.core.v3.Address': { socket_address: 1, pipe: 2, envoy_internal_address: 3 },
  'envoy.config.core.v3.SocketAddress': { address: 2 },
  'envoy.service.auth.v3.AttributeContext.Request': { http: 2 },
  'envoy.service.auth.v3.AttributeContext.HttpRequest': {
    method: 2,
    headers: 3,
    path: 4,
    host: 5,
    scheme: 6,
    protocol: 10,
    header_map: 13,
  },
  'envoy.config.core.v3.HeaderMap': { headers: 1 },
  'envoy.config.core.v3.HeaderValue': { key: 1, value: 2, raw_value: 3 },
  'envoy.config.core.v3.Metadata': { filter_metadata: 1 },
  'google.protobuf.Struct': { fields: 1 },
  'google.protobuf.Value': { string_value: 3, struct_value: 5, list_value: 6 },
  'google.protobuf.ListValue': { values: 1 },
} as const;

/** An entry of a map (`headers`, `context_extensions`, `filter_metadata`, `fields`) is a message of its own on the wire. */
export const mapEntryFields = { key: 1, value: 2 } as const;
