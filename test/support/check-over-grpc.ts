import { Client, credentials } from '@grpc/grpc-js';
import { checkPath, checkService } from '../../src/envoy/check-service.ts';
import { createCheckRequestDecoder } from '../../src/envoy/decode-check-request.ts';
import { createCheckResponseEncoder } from '../../src/envoy/encode-check-response.ts';
import { metadataOf } from '../../src/envoy/route-of-metadata.ts';
import { createGrpcJsTransport } from '../../src/envoy/grpc-js-transport.ts';
import { codecOf } from '../../src/envoy/protos.ts';
import { createNativeTransport } from '../../src/grpc/native-transport.ts';
import { asBuffer } from '../../src/std/as-buffer.ts';
import type { Clock, DecisionSink } from '../../src/core/ports.ts';
import { asEnvoySends } from './client-certificates.ts';
import { realTimers, type DecisionStand } from './decision-stand.ts';
import type { CaseRequest } from '../../src/policy-test/policy-test.ts';

/** The stand's engine behind a real gRPC port. */
export interface GrpcStand {
  readonly address: string;
  close(): Promise<void>;
}

const transports = { 'grpc-js': createGrpcJsTransport, native: createNativeTransport } as const;
export type TransportName = keyof typeof transports;

const systemClock = { now: () => Date.now(), monotonic: () => performance.now() };
const silent: DecisionSink = { record: () => undefined };

export async function listenOverGrpc(
  stand: Pick<DecisionStand, 'engine'>,
  kind: TransportName,
  { clock = systemClock, decisions = silent }: { readonly clock?: Clock; readonly decisions?: DecisionSink } = {},
): Promise<GrpcStand> {
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const check = checkService({
    authorizer: stand.engine,
    decoder: createCheckRequestDecoder(),
    encoder: createCheckResponseEncoder(),
    timers: realTimers,
    clock,
    decisions,
    log,
  });
  const transport = transports[kind]([check], { clock: systemClock, timers: realTimers, log });
  return { address: await transport.listen('127.0.0.1:0'), close: () => transport.close() };
}

/** What a CheckResponse says, decoded. */
export interface CheckAnswer {
  readonly status: { readonly code: number } | null;
  readonly deniedResponse?: {
    readonly status: { readonly code: number } | null;
    readonly headers: readonly HeaderOption[];
    readonly body: string;
  };
  readonly okResponse?: {
    readonly headers: readonly HeaderOption[];
    readonly headersToRemove: readonly string[];
    readonly responseHeadersToAdd: readonly HeaderOption[];
    readonly queryParametersToRemove: readonly string[];
  };
}

interface HeaderOption {
  readonly header: { readonly key: string; readonly value: string };
}

export interface CheckClient {
  /** The bytes of a CheckRequest in, the decoded CheckResponse out; rejects with the gRPC error where there is one. */
  send(bytes: Uint8Array): Promise<CheckAnswer>;
  close(): void;
}

export interface BytesClient {
  /** Rejects with the gRPC error where there is one. */
  send(bytes: Uint8Array): Promise<Buffer>;
  close(): void;
}

export function createCheckClient(address: string, by = credentials.createInsecure()): CheckClient {
  const client = createBytesClient(address, by, 10_000);
  return { send: async (bytes) => decodeAnswer(await client.send(bytes)), close: () => client.close() };
}

/** `deadlineMs`: undefined for calls without one, whose header blocks are the same every time. */
export function createBytesClient(
  address: string,
  by = credentials.createInsecure(),
  deadlineMs?: number,
): BytesClient {
  // A connection of its own: grpc-js would let all clients of an address share one.
  const client = new Client(address, by, { 'grpc.use_local_subchannel_pool': 1 });
  const same = (message: Buffer): Buffer => message;
  return {
    send: (bytes) =>
      new Promise((resolve, reject) => {
        const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
        client.makeUnaryRequest(checkPath, same, same, asBuffer(bytes), options, (error, answer) => {
          if (answer === undefined) reject(error ?? new Error('no answer'));
          else resolve(answer);
        });
      }),
    close: () => client.close(),
  };
}

export function decodeAnswer(bytes: Uint8Array): CheckAnswer {
  return codecOf('envoy.service.auth.v3.CheckResponse').decode(bytes) as CheckAnswer;
}

export function encodeCheck(message: object): Uint8Array {
  return codecOf('envoy.service.auth.v3.CheckRequest').encode(message);
}

/** The CheckRequest that Envoy makes of a request, with its headers joined (`headers`) or apart (`header_map`). */
export function checkOf(request: CaseRequest, token: string | undefined, form: 'joined' | 'apart'): object {
  const { method, host, path, clientIp = '127.0.0.1', contextExtensions = {}, route, peer } = request;
  const pseudo = [
    [':authority', host],
    [':method', method],
    [':path', path],
    [':scheme', 'http'],
  ] as const;
  const sent = [
    ...pseudo,
    ...(token === undefined ? [] : [['authorization', `Bearer ${token}`] as const]),
    ...request.headers,
  ];
  const address = { socketAddress: { address: clientIp, portValue: 40_000 } };
  const { principal = '', certificate = '' } = peer ?? {};
  const source = { address, principal, certificate: asEnvoySends(certificate) };
  const http = {
    method,
    host,
    path,
    scheme: 'http',
    protocol: 'HTTP/1.1',
    ...(form === 'joined' ? { headers: join(sent) } : apart(sent)),
  };
  const said = route === undefined ? {} : { routeMetadataContext: metadataOf(route) };
  return { attributes: { source, request: { http }, contextExtensions, ...said } };
}

function join(headers: readonly (readonly [string, string])[]): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of headers) joined[name] = joined[name] === undefined ? value : `${joined[name]},${value}`;
  return joined;
}

function apart(headers: readonly (readonly [string, string])[]): object {
  return { headerMap: { headers: headers.map(([key, value]) => ({ key, rawValue: Buffer.from(value) })) } };
}
