import type { Logger } from '../core/ports.ts';
import type { ServiceStatus } from '../core/status.ts';
import type { Engine } from '../engine/engine.ts';
import { formatSocketAddress } from '../std/socket-address.ts';
import type { Config } from './config/settings.ts';
import type { Deciding } from './deciding.ts';
import type { DocumentSource } from './document-source.ts';
import { createHttpEndpoints, type HttpEndpoints, type HttpEndpointsOptions } from './http-endpoints.ts';
import { createIssuerEndpoints, type IssuerEndpointsOptions } from './issuer-endpoints.ts';
import { createRevocationJudge } from './judge-revocations.ts';
import { withSetting } from './with-setting.ts';
import { createRevocationEndpoint, warnOfAdminToken } from './revocation-endpoint.ts';
import { followRevocationsFile, type RevocationsFile } from './revocations-file.ts';
import type { RunningService, ServiceIo, StartService } from './running-service.ts';
import { shutDownInStages } from './shutdown.ts';
import { startDocumentSource } from './start-document-source.ts';
import { readVersion, userAgent } from './version.ts';
import { watchWallClock } from './watch-wall-clock.ts';

const version = readVersion();

export type { RunningService, ServiceIo } from './running-service.ts';

/**
 * Puts a service together. The gRPC port is bound before anything is loaded and denies every check with 503 until it is (S30):
 * silence would be an allow for a proxy with failure_mode_allow.
 */
export const startService: StartService = async (config, io) => {
  const { logger, metrics } = io.observation;
  warnOfShadowAll(config, logger);
  const deciding = await createDeciding(config, io);
  const { engine, answering } = deciding;
  const readiness = createReadiness((isServing) => answering.setServing(isServing));
  const clockWatch = watchWallClock({ ...io, logger });
  const closers: (() => void | Promise<void>)[] = [
    () => answering.close(),
    () => deciding.close(),
    () => clockWatch.close(),
  ];
  try {
    const listening = withSetting('--grpc-address', answering.listen(formatSocketAddress(config.grpcAddress)));
    // Workers start while the policies are read for the first time; whoever is alone listens before anything else.
    listening.catch(() => {});
    if (config.workers === 1) await listening;
    let source: DocumentSource | undefined;
    const status = (): ServiceStatus => ({
      ...deciding.status(),
      transport: config.transport,
      lastReadAt: source?.lastReadAt(),
      revocations: engine.revocations.status(),
    });
    metrics.observeStatus(status);
    const notReady = (): string | undefined => readiness.whyNot(source?.failure()) ?? deciding.outage();
    const http = await createEndpointsOf(config, io, engine, { notReady, status });
    closers.unshift(() => http.close());
    const file = config.revocationsFile && startRevocationsFile(config.revocationsFile, engine, io);
    if (file) closers.unshift(() => file.close());
    const started = await startDocumentSource(config, io, engine, userAgent);
    source = started;
    closers.unshift(() => started.close());
    const grpcAddress = await listening;
    const ready = Promise.all([started.ready, file && file.firstLook]).then(() => {
      if (readiness.become('ready')) logger.info({ revision: engine.status().revision }, 'ready');
    });
    const announce = (): void => void readiness.become('stopping');
    let stopping: Promise<void> | undefined;
    const stop = (): Promise<void> =>
      shutDownInStages(
        { announce, drain: (timeoutMs) => answering.drain(timeoutMs), close: closers },
        { delayMs: config.shutdownDelay, timeoutMs: config.shutdownTimeout, timers: io.timers, logger },
      );
    return {
      grpcAddress,
      httpAddress: http.httpAddress,
      adminAddress: http.adminAddress,
      ready,
      status,
      stop: () => (stopping ??= stop()),
    } satisfies RunningService;
  } catch (thrown) {
    for (const close of closers) await close();
    throw thrown;
  }
};

/** What answers takes most of the memory: it is loaded where it is to answer. */
async function createDeciding(config: Config, io: ServiceIo): Promise<Deciding> {
  if (config.workers > 1) return (await import('./workers/create-watched.ts')).createWatched(config, io);
  return (await import('./create-single.ts')).createSingle(config, io);
}

function warnOfShadowAll({ shadowAll }: Config, logger: Logger): void {
  if (!shadowAll) return;
  logger.warn({ shadowAll }, 'SHADOW-ALL: every request is allowed and none is changed; decisions are only recorded');
}

/** What is asked and told over HTTP. */
function createEndpointsOf(
  config: Config,
  { clock, timers, observation: { logger, metrics } }: ServiceIo,
  { receive, revocations, knownProviders }: Engine,
  { notReady, status }: Pick<HttpEndpointsOptions, 'notReady' | 'status'>,
): Promise<HttpEndpoints> {
  const count: IssuerEndpointsOptions['count'] = (event, result) => metrics.issuerEvent(event, result);
  const { httpAddress, adminAddress, adminTokenFile: tokenFile, revocationRetention: retentionMs } = config;
  const judge = createRevocationJudge({ providers: knownProviders, clock, retentionMs });
  void warnOfAdminToken(tokenFile, logger);
  return createHttpEndpoints({
    httpAddress,
    adminAddress,
    notReady,
    metrics: () => metrics.expose(),
    status,
    answerIssuer: createIssuerEndpoints({ notReady, receive, count, clock, timers, logger }),
    answerRevocations: createRevocationEndpoint({ tokenFile, revocations, judge, clock, logger }),
    version,
    clock,
    timers,
    logger,
  });
}

function startRevocationsFile(
  file: string,
  { revocations }: Engine,
  { clock, timers, observation: { logger } }: ServiceIo,
): RevocationsFile {
  return followRevocationsFile(file, revocations.openList('file'), { clock, timers, logger });
}

interface Readiness {
  /** True where it was not so before; who is stopping does not become ready any more. */
  become(state: 'ready' | 'stopping'): boolean;
  /** Undefined while ready, else why not: one line. `failure` is why the documents cannot be read. */
  whyNot(failure: string | undefined): string | undefined;
}

function createReadiness(onChange: (isServing: boolean) => void): Readiness {
  let state: 'loading' | 'ready' | 'stopping' = 'loading';
  return {
    become: (next) => {
      if (state === next || state === 'stopping') return false;
      state = next;
      onChange(next === 'ready');
      return true;
    },
    whyNot: (failure) => {
      if (state === 'ready') return undefined;
      if (state === 'stopping') return 'the service is stopping';
      return `the policies are not loaded yet${failure === undefined ? '' : `: ${failure}`}`;
    },
  };
}
