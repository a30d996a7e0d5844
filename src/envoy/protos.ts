import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';
import { asBuffer } from '../std/as-buffer.ts';

/** One message type: a plain object (camelCase members, enums as numbers) to bytes and back. */
export interface Codec {
  /** Throws where a member is not of its field's type. Members that the message does not have are dropped. */
  encode(message: object): Uint8Array;
  /** Absent fields are absent members. Throws where the bytes are not such a message. */
  decode(bytes: Uint8Array): object;
}

const folder = fileURLToPath(new URL('../../proto/', import.meta.url));
const files = ['envoy/service/auth/v3/external_auth.proto', 'grpc/health/v1/health.proto'];

export type MessageName =
  | 'envoy.service.auth.v3.CheckRequest'
  | 'envoy.service.auth.v3.CheckResponse'
  | 'grpc.health.v1.HealthCheckRequest'
  | 'grpc.health.v1.HealthCheckResponse';

let loaded: ReturnType<typeof loadSync> | undefined;

/** The codec of a message of `proto/`, whose files are read once, at the first call. Throws where they are not there. */
export function codecOf(name: MessageName): Codec {
  loaded ??= loadSync(files, { includeDirs: [folder] });
  const definition = loaded[name];
  if (!isMessage(definition)) throw new TypeError(`proto/ has no message ${name}`);
  return {
    encode: (message) => definition.serialize(message),
    decode: (bytes) => definition.deserialize(asBuffer(bytes)),
  };
}

function isMessage(definition: unknown): definition is MessageTypeDefinition<object, object> {
  return typeof definition === 'object' && definition !== null && 'deserialize' in definition;
}
