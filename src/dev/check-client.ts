import { Client, credentials } from '@grpc/grpc-js';
import { Failure } from '../core/failure.ts';
import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../core/json.ts';
import { asBuffer, codecOf } from '../envoy/protos.ts';
import type { HttpMessage } from './http-exchange.ts';
import { outcomeOfDenial, type Outcome } from './outcome.ts';

/** Asks an ext_authz service as Envoy would. */
export interface CheckClient {
  /** What the proxy would do with the request. Throws a Failure `no_answer` where no answer came, `bad_answer` for one that cannot be read. */
  check(message: HttpMessage): Promise<Outcome>;
  close(): void;
}

const method = '/envoy.service.auth.v3.Authorization/Check';
const timeoutMs = 5000;

/** A client of `HOST:PORT` or `unix:PATH`, in cleartext. */
export function createCheckClient(address: string): CheckClient {
  const client = new Client(address, credentials.createInsecure());
  const requests = codecOf('envoy.service.auth.v3.CheckRequest');
  const responses = codecOf('envoy.service.auth.v3.CheckResponse');
  return {
    async check(message) {
      const bytes = await call(client, asBuffer(requests.encode(checkRequest(message))));
      return outcomeOfCheck(message, responses.decode(bytes));
    },
    close: () => client.close(),
  };
}

function call(client: Client, request: Buffer): Promise<Buffer> {
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(method, same, same, request, { deadline: Date.now() + timeoutMs }, (error, answer) => {
      if (answer !== undefined) resolve(answer);
      else reject(new Failure('no_answer', `The check was not answered: ${error?.message ?? ''}`, { cause: error }));
    });
  });
}

/** The CheckRequest that Envoy makes of the request; `host` is among its headers. */
function checkRequest({ method, path, headers }: HttpMessage): object {
  const { host = '', ...others } = headers;
  const pseudo = { ':authority': host, ':method': method, ':path': path, ':scheme': 'http' };
  const http = { method, path, host, scheme: 'http', protocol: 'HTTP/1.1', headers: { ...pseudo, ...others } };
  const source = { address: { socketAddress: { address: '127.0.0.1', portValue: 40_000 } } };
  return { attributes: { source, request: { http } } };
}

/** The headers of an allow are applied to those of the request, in Envoy's order: set first, then remove. */
function outcomeOfCheck(message: HttpMessage, response: object): Outcome {
  const answer = plain(response);
  if (numberAt(answer, 'status', 'code') !== 0) {
    const denied = objectAt(answer, 'deniedResponse');
    return outcomeOfDenial(numberAt(denied, 'status', 'code') ?? 403, textAt(denied, 'body'));
  }
  const upstream = new Map(Object.entries(message.headers));
  const ok = objectAt(answer, 'okResponse');
  for (const option of listAt(ok, 'headers')) {
    const header = isJsonObject(option) ? objectAt(option, 'header') : {};
    upstream.set(textAt(header, 'key'), textAt(header, 'value'));
  }
  for (const name of listAt(ok, 'headersToRemove')) if (typeof name === 'string') upstream.delete(name);
  return { decision: 'allow', status: 200, upstream };
}

function plain(response: object): JsonObject {
  const value: JsonValue = JSON.parse(JSON.stringify(response));
  if (!isJsonObject(value)) throw new Failure('bad_answer', 'The CheckResponse is not a message.');
  // Envoy takes a missing status for an allow; a client that shows decisions must not.
  if (!isJsonObject(ownMember(value, 'status'))) throw new Failure('bad_answer', 'The CheckResponse has no status.');
  return value;
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

function numberAt(object: JsonObject, part: string, name: string): number | undefined {
  const member = ownMember(objectAt(object, part), name);
  return typeof member === 'number' ? member : undefined;
}
