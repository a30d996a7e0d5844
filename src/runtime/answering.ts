import type { Engine } from '../engine/engine.ts';
import { checkService } from '../envoy/check-service.ts';
import { createCheckRequestDecoder } from '../envoy/decode-check-request.ts';
import { createCheckResponseEncoder } from '../envoy/encode-check-response.ts';
import { createHealthService } from '../envoy/health-service.ts';
import { createNativeTransport } from '../grpc/native-transport.ts';
import type { Method, Transport } from '../grpc/transport.ts';
import type { Config } from './config/settings.ts';
import { createGrpcTls, type GrpcTls } from './grpc-tls.ts';
import { measureMethod } from './measure-method.ts';
import type { ServiceIo } from './running-service.ts';

/** What answers checks: this process, or others. */
export interface Answering {
  /** As Transport.listen. */
  listen(address: string): Promise<string>;
  /** What health says. */
  setServing(isServing: boolean): void;
  /** Accepts nothing new, and waits until every call is answered or the time has run out, milliseconds. */
  drain(timeoutMs: number): Promise<unknown>;
  close(): void | Promise<void>;
}

/** Checks and health, answered by this process; Transport.take takes connections that another one accepted. */
export async function createAnswering(
  config: Config,
  io: ServiceIo,
  engine: Engine,
): Promise<Answering & Pick<Transport, 'take'>> {
  const tls = await createGrpcTls(config, io);
  const health = createHealthService();
  const transport = await createTransport(config, io, engine, health.methods, tls);
  return {
    listen: (address) => transport.listen(address),
    take: (socket) => transport.take(socket),
    setServing: (isServing) => health.setServing(isServing),
    drain: (timeoutMs) => transport.drain(timeoutMs),
    close: async () => {
      await transport.close();
      tls?.close();
    },
  };
}

/** The library is a tenth of the program's memory: it is loaded only where it is what answers. */
async function loadTransport(kind: Config['transport']): Promise<typeof createNativeTransport> {
  switch (kind) {
    case 'native':
      return createNativeTransport;
    case 'grpc-js':
      return (await import('../envoy/grpc-js-transport.ts')).createGrpcJsTransport;
  }
}

async function createTransport(
  config: Config,
  { clock, timers, observation }: ServiceIo,
  engine: Engine,
  health: readonly Method[],
  tls: GrpcTls | undefined,
): Promise<Transport> {
  const { logger, metrics, decisions } = observation;
  const check = checkService({
    authorizer: engine,
    decoder: createCheckRequestDecoder(),
    encoder: createCheckResponseEncoder(),
    timers,
    clock,
    decisions,
    log: logger,
    checkTimeoutMs: config.checkTimeout,
    maxReceiveBytes: config.maxReceiveBytes,
    dangerouslyAllowRefusals: config.shadowAll,
  });
  const methods = [check, ...health].map((method) => measureMethod(method, metrics.grpc, clock));
  const { maxReceiveBytes } = config;
  const create = await loadTransport(config.transport);
  return create(methods, { clock, timers, log: logger, maxReceiveBytes, secure: tls?.secure });
}
