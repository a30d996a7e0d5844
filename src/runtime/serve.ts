import type { Clock, Random, Timers } from '../core/ports.ts';
import type { Problem } from '../core/problem.ts';
import { formatPlace } from './config/given-value.ts';
import type { Config } from './config/settings.ts';
import { createObservation } from './observation.ts';
import { guardProcess } from './process-guard.ts';
import { watchStopSignals, type ProcessPort } from './process-signals.ts';
import type { StartService } from './running-service.ts';

export interface ServeOptions {
  readonly config: Config;
  /** Of the configuration; logged. */
  readonly warnings: readonly Problem[];
  readonly version: string;
  readonly startService: StartService;
  readonly process: ProcessPort;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Where log lines go: a file descriptor (1 is standard output) or the path of a file to append to. */
  readonly logTo: number | string;
}

/** Serves until a signal says stop, and ends in stages. Throws the Failure of a service that could not start. */
export async function serve(options: ServeOptions): Promise<void> {
  const { config, warnings, version, startService, process, clock, timers, random, logTo } = options;
  const observation = createObservation({ config, clock, random, version, logTo, processMetrics: true });
  const { logger, metrics } = observation;
  const unguard = guardProcess({ process, logger, onUncaught: (kind) => metrics.uncaught(kind) });
  const signals = watchStopSignals(process);
  try {
    for (const { message, code, place } of warnings) logger.warn({ code, place: formatPlace(place) }, message);
    const service = await startService(config, { clock, timers, random, observation });
    const { grpcAddress, httpAddress, adminAddress } = service;
    logger.info({ version, grpcAddress, httpAddress, adminAddress, policies: config.policies }, 'serving');
    const signal = await signals.first;
    const { shutdownDelay: delayMs, shutdownTimeout: timeoutMs } = config;
    logger.info({ signal, delayMs, timeoutMs }, 'stopping');
    await service.stop();
    logger.info({}, 'stopped');
  } finally {
    signals.close();
    unguard();
    await observation.close();
  }
}
