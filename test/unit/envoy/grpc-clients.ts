import { Client, credentials, Metadata, type CallOptions, type ServiceError } from '@grpc/grpc-js';
import { connect, type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import { checkPath } from '../../../src/envoy/check-service.ts';
import { codecOf } from '../../../src/envoy/protos.ts';
import { decodeAnswer, type Answer } from './envoy-fixtures.ts';

/** Bytes as they are. */
const asIs = (bytes: Buffer): Buffer => bytes;

/** A grpc-js client for the address that a transport says is bound. */
export function clientOf(address: string, by = credentials.createInsecure()): Client {
  return new Client(address, by, { 'grpc.max_send_message_length': -1 });
}

/** One unary call: the answer's bytes, or `{status}` for a gRPC error. */
export function callUnary(
  client: Client,
  path: string,
  message: Uint8Array,
  options: CallOptions = {},
): Promise<Uint8Array | { readonly status: number }> {
  return new Promise((resolve) => {
    const done = (error: ServiceError | null, value?: Buffer): void => {
      resolve(error === null ? (value ?? Buffer.alloc(0)) : { status: error.code });
    };
    client.makeUnaryRequest(path, asIs, asIs, Buffer.from(message), new Metadata(), options, done);
  });
}

export async function callCheck(
  client: Client,
  message: Uint8Array,
  options: CallOptions = {},
): Promise<Answer | { readonly status: number }> {
  const answer = await callUnary(client, checkPath, message, options);
  return answer instanceof Uint8Array ? decodeAnswer(answer) : answer;
}

/** The health of the service, by number, or `{status}` for a gRPC error. */
export async function callHealth(client: Client, service: string): Promise<object> {
  const message = codecOf('grpc.health.v1.HealthCheckRequest').encode({ service });
  const answer = await callUnary(client, '/grpc.health.v1.Health/Check', message);
  return answer instanceof Uint8Array
    ? codecOf('grpc.health.v1.HealthCheckResponse').decode(answer)
    : { grpc: answer.status };
}

/** A message in its frame (gRPC over HTTP/2, Length-Prefixed-Message). */
export function framed(message: Uint8Array, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

export interface RawAnswer {
  /** The HTTP status; undefined where the stream was reset before. */
  readonly http: number | undefined;
  readonly grpcStatus: number | undefined;
  readonly message: Buffer;
  /** The reset's code; 0 where there was none. */
  readonly reset: number;
}

/** A session of node:http2 to a TCP address. */
export async function rawSession(address: string): Promise<ClientHttp2Session> {
  const session = connect(`http://${address}`);
  await new Promise((resolve, reject) => {
    session.once('connect', resolve);
    session.once('error', reject);
  });
  return session;
}

/** Sends the bytes as the body of a gRPC call and answers what came back. */
export function rawCall(
  session: ClientHttp2Session,
  body: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<RawAnswer> {
  const stream = openRaw(session, headers);
  stream.end(body);
  return rawAnswer(stream);
}

export function openRaw(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  return session.request({
    ':method': 'POST',
    ':path': checkPath,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
}

export function rawAnswer(stream: ClientHttp2Stream): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let http: number | undefined;
    let grpcStatus: number | undefined;
    const chunks: Buffer[] = [];
    const readStatus = (headers: Readonly<Record<string, unknown>>): void => {
      if (headers['grpc-status'] !== undefined) grpcStatus = Number(headers['grpc-status']);
    };
    stream.on('response', (headers) => {
      http = headers[':status'];
      readStatus(headers);
    });
    stream.on('trailers', readStatus);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => {});
    stream.on('close', () => {
      resolve({ http, grpcStatus, message: Buffer.concat(chunks).subarray(5), reset: stream.rstCode });
    });
  });
}
