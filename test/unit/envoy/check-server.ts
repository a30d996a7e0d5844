import type { Client } from '@grpc/grpc-js';
import type { ClientHttp2Session } from 'node:http2';
import { onTestFinished } from 'vitest';
import type { Authorizer } from '../../../src/core/ports.ts';
import { checkService } from '../../../src/envoy/check-service.ts';
import { createCheckRequestDecoder } from '../../../src/envoy/decode-check-request.ts';
import { createCheckResponseEncoder } from '../../../src/envoy/encode-check-response.ts';
import { createGrpcJsTransport } from '../../../src/envoy/grpc-js-transport.ts';
import { createHealthService, type HealthService } from '../../../src/envoy/health-service.ts';
import { createNativeTransport } from '../../../src/grpc/native-transport.ts';
import type { Method, Transport, TransportOptions } from '../../../src/grpc/transport.ts';
import { authorizer, realClock, realTimers, recordingLog, recordingSink, type RecordingLog } from './envoy-fixtures.ts';
import { clientOf, rawSession } from './grpc-clients.ts';

export interface CheckServer {
  readonly transport: Transport;
  readonly health: HealthService;
  readonly log: RecordingLog;
  /** What is bound. */
  readonly address: string;
  client(): Client;
  session(): Promise<ClientHttp2Session>;
}

export const transports = { 'grpc-js': createGrpcJsTransport, native: createNativeTransport } as const;
export type TransportName = keyof typeof transports;
export const transportNames = ['grpc-js', 'native'] as const satisfies readonly TransportName[];

export interface CheckServerOptions extends Partial<TransportOptions> {
  /** grpc-js where it is not given. */
  readonly kind?: TransportName;
  readonly address?: string;
  readonly authorizer?: Authorizer;
  readonly checkTimeoutMs?: number;
  readonly moreMethods?: readonly Method[];
  readonly maxWatchers?: number;
}

/** Check and Health over loopback; everything is closed when the test has ended. */
export async function startCheckServer(options: CheckServerOptions = {}): Promise<CheckServer> {
  const log = recordingLog();
  const health = createHealthService(options.maxWatchers);
  const check = checkService({
    authorizer: options.authorizer ?? authorizer(),
    decoder: createCheckRequestDecoder(),
    encoder: createCheckResponseEncoder(),
    timers: realTimers,
    clock: realClock,
    decisions: recordingSink(),
    log,
    checkTimeoutMs: options.checkTimeoutMs ?? 5000,
  });
  const methods = [check, ...health.methods, ...(options.moreMethods ?? [])];
  const transport = transports[options.kind ?? 'grpc-js'](methods, {
    clock: realClock,
    timers: realTimers,
    log,
    ...options,
  });
  onTestFinished(() => transport.close());
  const address = await transport.listen(options.address ?? '127.0.0.1:0');
  return {
    transport,
    health,
    log,
    address,
    client() {
      const client = clientOf(address);
      onTestFinished(() => client.close());
      return client;
    },
    async session() {
      const session = await rawSession(address);
      onTestFinished(() => session.destroy());
      return session;
    },
  };
}
