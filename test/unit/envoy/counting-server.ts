import type { ClientHttp2Session } from 'node:http2';
import { allow } from '../../../src/core/decision.ts';
import { startCheckServer, type CheckServer, type CheckServerOptions } from './check-server.ts';
import { about, authorizer, checkRequest, unchanged } from './envoy-fixtures.ts';

export interface CountingServer {
  readonly server: CheckServer;
  readonly session: ClientHttp2Session;
  /** How often a decision was asked for. */
  readonly asked: () => number;
}

/** A server that allows and counts, with a session to it. */
export async function startCounting(options: CheckServerOptions = {}): Promise<CountingServer> {
  let asked = 0;
  const ours = authorizer(() => {
    asked++;
    return allow(about, unchanged);
  });
  const server = await startCheckServer({ ...options, authorizer: ours });
  return { server, session: await server.session(), asked: () => asked };
}

/** Two CheckRequests: one of that many bytes, the other longer by one. */
export function requestsAround(bytes: number): readonly [Uint8Array, Uint8Array] {
  const empty = checkRequest({ body: 'x'.repeat(20_000) }).length - 20_000;
  const ofLength = (length: number): Uint8Array => {
    const request = checkRequest({ body: 'x'.repeat(length - empty) });
    if (request.length !== length) throw new RangeError(`a request of ${request.length} bytes instead of ${length}`);
    return request;
  };
  return [ofLength(bytes), ofLength(bytes + 1)];
}
