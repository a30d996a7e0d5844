import { Client, credentials } from '@grpc/grpc-js';
import type { HeaderEntry } from '../core/decision.ts';
import { Failure } from '../core/failure.ts';
import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Clock } from '../core/ports.ts';
import type { RequestRoute } from '../core/request.ts';
import { identityOfAddress, isAddress } from '../std/address-identity.ts';
import { parseSocketAddress } from '../std/socket-address.ts';
import { checkPath } from './check-service.ts';
import { asBuffer } from '../std/as-buffer.ts';
import { codecOf } from './protos.ts';
import { metadataOf } from './route-of-metadata.ts';

/** Asks an ext_authz service as Envoy would. */
export interface CheckClient {
  /** Throws a Failure: `no_answer` where none came, `bad_answer` for one that cannot be read or has no status. */
  check(request: ProxiedRequest): Promise<CheckAnswer>;
  close(): void;
}

/** A request as a proxy would describe it; nothing is normalised on the way. */
export interface ProxiedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly host: string;
  readonly scheme: string;
  /** Names in lower case. */
  readonly headers: readonly HeaderEntry[];
  /** `joined`: several of one name joined with a comma (Envoy's `headers`); `apart`: each by itself (`header_map`). */
  readonly form: 'joined' | 'apart';
  readonly clientAddress: string;
  /** What the proxy says of the certificate that the client showed it. */
  readonly peer?: ProxiedPeer | undefined;
  readonly contextExtensions: Readonly<Record<string, string>>;
  /** The route that the proxy chose, as Envoy Gateway says it; undefined where it does not. */
  readonly route: RequestRoute | undefined;
}

export interface ProxiedPeer {
  /** The name in the certificate: its first URI, else its first DNS name, else its subject. */
  readonly principal?: string | undefined;
  /** PEM. */
  readonly certificate?: string | undefined;
}

/** What a proxy would do with the request. */
export interface CheckAnswer {
  readonly allowed: boolean;
  /** Of a denial the HTTP status of the answer; 200 for an allow. */
  readonly status: number;
  readonly setHeaders: readonly HeaderEntry[];
  readonly removeHeaders: readonly string[];
  readonly removeQueryParameters: readonly string[];
  /** Added to the answer that the client gets. */
  readonly responseHeaders: readonly HeaderEntry[];
  /** Of a denial. */
  readonly body: string;
  /** Envoy's dynamic metadata; empty where there is none. */
  readonly metadata: JsonObject;
}

export interface CheckClientOptions {
  readonly clock: Clock;
  /** For one answer, connecting included. */
  readonly timeoutMs: number;
  /** Undefined: cleartext. */
  readonly tls?: CheckClientTls | undefined;
}

/** PEM texts; certificate and key are there for a service that asks for them. */
export interface CheckClientTls {
  /** Who may have signed the service's certificate; undefined: whom Node trusts. */
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** The name that is asked for (SNI) and that the certificate must hold; undefined: the host of the address. */
  readonly serverName: string | undefined;
}

/** A client of `HOST:PORT` or `unix:PATH`. */
export function createCheckClient(address: string, { clock, timeoutMs, tls }: CheckClientOptions): CheckClient {
  const client = tls === undefined ? new Client(address, credentials.createInsecure()) : secureClient(address, tls);
  return {
    async check(request) {
      const bytes = encodeCheckRequest(request);
      return decodeCheckAnswer(await call(client, asBuffer(bytes), clock.now() + timeoutMs));
    },
    close: () => client.close(),
  };
}

/** An address is no name to ask for (RFC 6066 3): it is asked for another and judged by its address all the same. */
const nameOfAddresses = 'address.invalid';

function secureClient(address: string, { ca, certificate, key, serverName }: CheckClientTls): Client {
  const bytes = (pem: string | undefined): Buffer | null => (pem === undefined ? null : Buffer.from(pem));
  const target = parseSocketAddress(address);
  const host = target?.kind === 'tcp' ? target.host : '';
  const byAddress = serverName === undefined && isAddress(host);
  const secure = credentials.createSsl(
    bytes(ca),
    bytes(key),
    bytes(certificate),
    byAddress ? { checkServerIdentity: identityOfAddress(host) } : {},
  );
  const name = byAddress ? nameOfAddresses : serverName;
  return new Client(address, secure, name === undefined ? {} : { 'grpc.ssl_target_name_override': name });
}

/** The bytes of the CheckRequest that Envoy would send about the request. */
export function encodeCheckRequest(request: ProxiedRequest): Uint8Array {
  return codecOf('envoy.service.auth.v3.CheckRequest').encode(checkRequest(request));
}

function call(client: Client, request: Buffer, deadline: number): Promise<Buffer> {
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(checkPath, same, same, request, { deadline }, (error, answer) => {
      if (answer !== undefined) resolve(answer);
      else reject(new Failure('no_answer', `The check was not answered: ${error?.message ?? ''}`, { cause: error }));
    });
  });
}

/** The CheckRequest that Envoy makes of the request. */
function checkRequest({ method, target, host, scheme, headers, form, ...rest }: ProxiedRequest): object {
  const pseudo: readonly HeaderEntry[] = [
    [':authority', host],
    [':method', method],
    [':path', target],
    [':scheme', scheme],
  ];
  const all = [...pseudo, ...headers];
  const fields =
    form === 'joined'
      ? { headers: joined(all) }
      : { headerMap: { headers: all.map(([key, value]) => ({ key, rawValue: Buffer.from(value) })) } };
  const http = { method, path: target, host, scheme, protocol: 'HTTP/1.1', ...fields };
  const { contextExtensions, route, clientAddress, peer } = rest;
  const address = { socketAddress: { address: clientAddress, portValue: 40_000 } };
  const source = {
    address,
    principal: peer?.principal,
    certificate: peer?.certificate && urlEncoded(peer.certificate),
  };
  const said = route === undefined ? {} : { routeMetadataContext: metadataOf(route) };
  return { attributes: { source, request: { http }, contextExtensions, ...said } };
}

/** As Envoy encodes a certificate. */
function urlEncoded(pem: string): string {
  return pem.replaceAll(/[\n +/=]/g, encodeURIComponent);
}

function joined(headers: readonly HeaderEntry[]): Readonly<Record<string, string>> {
  const values = new Map<string, string>();
  for (const [name, value] of headers) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(values);
}

/** What a proxy would do by the bytes of a CheckResponse. Throws a Failure `bad_answer`. */
export function decodeCheckAnswer(bytes: Uint8Array): CheckAnswer {
  const responses = codecOf('envoy.service.auth.v3.CheckResponse');
  const answer = plain(asBuffer(bytes), (message) => responses.decode(message));
  const metadata = structOf(objectAt(answer, 'dynamicMetadata'));
  if ((numberAt(objectAt(answer, 'status'), 'code') ?? 0) === 0) {
    const ok = objectAt(answer, 'okResponse');
    return {
      allowed: true,
      status: 200,
      setHeaders: headersAt(ok, 'headers'),
      removeHeaders: textsAt(ok, 'headersToRemove'),
      removeQueryParameters: textsAt(ok, 'queryParametersToRemove'),
      responseHeaders: headersAt(ok, 'responseHeadersToAdd'),
      body: '',
      metadata,
    };
  }
  const denied = objectAt(answer, 'deniedResponse');
  return {
    allowed: false,
    // What Envoy answers where a denial does not say.
    status: numberAt(objectAt(denied, 'status'), 'code') ?? 403,
    setHeaders: [],
    removeHeaders: [],
    removeQueryParameters: [],
    responseHeaders: headersAt(denied, 'headers'),
    body: textAt(denied, 'body'),
    metadata,
  };
}

function plain(bytes: Buffer, decode: (bytes: Buffer) => object): JsonObject {
  let value: JsonValue;
  try {
    value = JSON.parse(JSON.stringify(decode(bytes)));
  } catch (cause) {
    throw new Failure('bad_answer', 'The answer is not a CheckResponse.', { cause });
  }
  // Envoy takes a missing status for an allow; a client that shows decisions must not.
  if (!isJsonObject(value) || !isJsonObject(ownMember(value, 'status')))
    throw new Failure('bad_answer', 'The CheckResponse has no status.');
  return value;
}

/** The texts, numbers and booleans of a google.protobuf.Struct. */
function structOf(struct: JsonObject): JsonObject {
  const fields = Object.entries(objectAt(struct, 'fields')).flatMap(([name, value]): [string, JsonValue][] => {
    if (!isJsonObject(value)) return [];
    const { stringValue, numberValue, boolValue, structValue } = value;
    if (isJsonObject(structValue)) return [[name, structOf(structValue)]];
    const scalar = stringValue ?? numberValue ?? boolValue;
    return scalar === undefined ? [] : [[name, scalar]];
  });
  return Object.fromEntries(fields);
}

function headersAt(object: JsonObject, name: string): HeaderEntry[] {
  return listAt(object, name).map((option) => {
    const header = isJsonObject(option) ? objectAt(option, 'header') : {};
    return [textAt(header, 'key'), textAt(header, 'value')];
  });
}

function textsAt(object: JsonObject, name: string): string[] {
  return listAt(object, name).filter((value) => typeof value === 'string');
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const member = ownMember(object, name);
  return isJsonObject(member) ? member : {};
}

function listAt(object: JsonObject, name: string): readonly JsonValue[] {
  const member = ownMember(object, name);
  return Array.isArray(member) ? member : [];
}

function textAt(object: JsonObject, name: string): string {
  const member = ownMember(object, name);
  return typeof member === 'string' ? member : '';
}

function numberAt(object: JsonObject, name: string): number | undefined {
  const member = ownMember(object, name);
  return typeof member === 'number' ? member : undefined;
}
