import type { Problem } from '../core/problem.ts';
import { formatPlace } from './config/given-value.ts';
import type { Config } from './config/settings.ts';
import { guardProcess } from './process-guard.ts';
import { watchStopSignals, type ProcessPort, type StopSignal } from './process-signals.ts';
import type { ServiceIo, StartService } from './running-service.ts';

export interface ServeOptions {
  readonly config: Config;
  /** Of the configuration; logged. */
  readonly warnings: readonly Problem[];
  readonly version: string;
  readonly startService: StartService;
  readonly process: ProcessPort;
  /** Closed by the caller. */
  readonly io: ServiceIo;
  /** What `tuneMemory` gave: called when the policies are in force, or when it ends before. */
  readonly everythingIsLoaded: () => void;
}

/** Every status is looked at once when all policies are there, which is part of loading them: about a second in ten thousand. */
const statusesMs = 20_000;

/** Serves until a signal says stop, and ends in stages. Throws the Failure of a service that could not start. */
export async function serve(options: ServeOptions): Promise<void> {
  const { config, warnings, version, startService, process, io, everythingIsLoaded } = options;
  const { logger, metrics } = io.observation;
  const unguard = guardProcess({ process, logger, onUncaught: (kind) => metrics.uncaught(kind) });
  const onForced = (signal: StopSignal): void =>
    logger.warn({ signal }, 'a second signal: ended at once, and requests may be lost');
  const signals = watchStopSignals({ process, clock: io.clock, onForced });
  try {
    for (const { message, code, place } of warnings) logger.warn({ code, place: formatPlace(place) }, message);
    const service = await startService(config, io);
    const settleMs = config.policies === undefined && config.publishStatus ? statusesMs : 0;
    const settled = service.ready.then(() => io.timers.after(settleMs, everythingIsLoaded));
    const { grpcAddress, httpAddress, adminAddress } = service;
    const { transport, policies } = config;
    logger.info({ version, grpcAddress, transport, httpAddress, adminAddress, policies }, 'serving');
    const signal = await signals.first;
    const { shutdownDelay: delayMs, shutdownTimeout: timeoutMs } = config;
    logger.info({ signal, delayMs, timeoutMs }, 'stopping');
    await service.stop();
    void settled.then((cancel) => cancel());
    logger.info({}, 'stopped');
  } finally {
    everythingIsLoaded();
    signals.close();
    unguard();
  }
}
