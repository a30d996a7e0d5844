import { createEngine, type Engine } from '../engine/engine.ts';
import { checkService } from '../envoy/check-service.ts';
import { createProtoLoaderDecoder } from '../envoy/decode-check-request.ts';
import { createCheckResponseEncoder } from '../envoy/encode-check-response.ts';
import { createGrpcJsTransport } from '../envoy/grpc-js-transport.ts';
import { createHealthService } from '../envoy/health-service.ts';
import type { Transport } from '../envoy/transport.ts';
import { createFolderSource } from '../files/folder-source.ts';
import { formatSocketAddress } from '../std/socket-address.ts';
import type { Config } from './config/settings.ts';
import { createGrpcTls, type GrpcTls } from './grpc-tls.ts';
import { createHttpClient } from './http-client.ts';
import { createHttpEndpoints } from './http-endpoints.ts';
import { measureMethod } from './measure-method.ts';
import type { RunningService, ServiceIo, StartService } from './running-service.ts';
import { shutDownInStages } from './shutdown.ts';
import { readVersion } from './version.ts';

const version = readVersion();

export type { RunningService, ServiceIo } from './running-service.ts';

/**
 * Puts a service together. The gRPC port is bound before anything is loaded and denies every check with 503 until it is (S30):
 * silence would be an allow for a proxy with failure_mode_allow.
 */
export const startService: StartService = async (config, io) => {
  const { logger, metrics } = io.observation;
  if (config.shadowAll)
    logger.warn(
      { shadowAll: true },
      'SHADOW-ALL: every request is allowed and none is changed; decisions are only recorded',
    );
  const tls = await createGrpcTls(config, io);
  const engine = createEngineOf(config, io);
  const health = createHealthService();
  const transport = createTransport(config, io, engine, health.methods, tls);
  let notReady: string | undefined = 'the policies are not loaded yet';
  const closers: (() => void | Promise<void>)[] = [() => transport.close(), () => tls?.close(), () => engine.close()];
  try {
    const grpcAddress = await transport.listen(formatSocketAddress(config.grpcAddress));
    metrics.observeStatus(() => engine.status());
    const http = await createHttpEndpoints({
      httpAddress: config.httpAddress,
      adminAddress: config.adminAddress,
      notReady: () => notReady,
      metrics: () => metrics.expose(),
      status: () => engine.status(),
      version,
      clock: io.clock,
      timers: io.timers,
      logger,
    });
    closers.unshift(() => http.close());
    let stopping: Promise<void> | undefined;
    const becomeReady = (): void => {
      if (stopping !== undefined || notReady === undefined) return;
      notReady = undefined;
      health.setServing(true);
      logger.info({ revision: engine.status().revision }, 'ready');
    };
    const { source, ready } = await startSource(config, io, engine, becomeReady);
    closers.unshift(() => source.close());
    const announce = (): void => {
      notReady = 'the service is stopping';
      health.setServing(false);
    };
    const stop = (): Promise<void> =>
      shutDownInStages(
        { announce, drain: (timeoutMs) => transport.drain(timeoutMs), close: closers },
        { delayMs: config.shutdownDelay, timeoutMs: config.shutdownTimeout, timers: io.timers, logger },
      );
    return {
      grpcAddress,
      httpAddress: http.httpAddress,
      adminAddress: http.adminAddress,
      ready,
      status: () => engine.status(),
      stop: () => (stopping ??= stop()),
    } satisfies RunningService;
  } catch (thrown) {
    for (const close of closers) await close();
    throw thrown;
  }
};

/** Resolves once the folder was read; `ready` once what is good of it is in force. */
async function startSource(
  { policies, namespace }: Config,
  { clock, timers, observation }: ServiceIo,
  engine: Engine,
  becomeReady: () => void,
): Promise<{ readonly source: { close(): void }; readonly ready: Promise<void> }> {
  const first = Promise.withResolvers<undefined>();
  const source = await createFolderSource({
    folder: policies,
    clock,
    timers,
    settings: { serviceNamespace: namespace },
    logger: observation.logger,
    onRead: () => engine.noteRead(),
    onReading: (reading) => {
      void engine.apply(reading).then(() => {
        if (!engine.status().ready) return;
        becomeReady();
        first.resolve(undefined);
      });
    },
  });
  return { source, ready: first.promise };
}

function createEngineOf(config: Config, { clock, timers, random, observation }: ServiceIo): Engine {
  const { logger, metrics } = observation;
  const http = createHttpClient({
    allowPrivateAddresses: config.allowPrivateAddresses,
    allowedAddresses: config.allowedPrivateAddresses,
    userAgent: `portcullis/${version}`,
    timers,
  });
  return createEngine(
    {
      trustedHops: config.trustedHops,
      maxHeaders: config.maxHeaders,
      serviceNamespace: config.namespace,
      hostGrants: config.hostGrants.size === 0 ? undefined : config.hostGrants,
      ownedHeaders: config.ownedHeaders,
      shadowAll: config.shadowAll,
      keyLoadTimeoutMs: config.keyLoadTimeout,
      identity: {
        tokenCacheEntries: config.tokenCacheEntries,
        refreshIntervalMs: config.keyRefreshInterval,
        staleWindowMs: config.keyStaleWindow,
        fetchTimeoutMs: config.keyFetchTimeout,
      },
    },
    { clock, timers, random, logger, http, events: metrics.identity },
  );
}

function createTransport(
  config: Config,
  { clock, timers, observation }: ServiceIo,
  engine: Engine,
  health: Parameters<typeof createGrpcJsTransport>[0],
  tls: GrpcTls | undefined,
): Transport {
  const { logger, metrics, decisions } = observation;
  const check = checkService({
    authorizer: engine,
    decoder: createProtoLoaderDecoder(),
    encoder: createCheckResponseEncoder(),
    timers,
    clock,
    decisions,
    log: logger,
    checkTimeoutMs: config.checkTimeout,
    dangerouslyAllowRefusals: config.shadowAll,
  });
  const methods = [check, ...health].map((method) => measureMethod(method, metrics.grpc, clock));
  const { maxReceiveBytes } = config;
  return createGrpcJsTransport(methods, { clock, timers, log: logger, maxReceiveBytes, secure: tls?.secure });
}
