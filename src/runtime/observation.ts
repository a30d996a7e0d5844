import type { Clock, DecisionSink, Logger, Random, Timers } from '../core/ports.ts';
import { thrownFields } from '../core/thrown-fields.ts';
import { createDecisionLog } from '../observe/decision-log.ts';
import { combineSinks } from '../observe/decision-sinks.ts';
import { createLogger } from '../observe/logger.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import type { Config } from './config/settings.ts';
import { createLogDestination } from './log-destination.ts';

/** What the service tells about itself. */
export interface Observation {
  readonly logger: Logger;
  /** The decision metrics and the decision log. */
  readonly decisions: DecisionSink;
  readonly metrics: Metrics;
  /** Hands over what is still buffered. */
  close(): Promise<void>;
}

export interface ObservationOptions {
  readonly config: Pick<Config, 'logLevel' | 'logDecisions' | 'logDecisionsSample' | 'workers'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly version: string;
  /** Where log lines go: a file descriptor (1 is standard output) or the path of a file to append to. */
  readonly logTo: number | string;
  /** Also the metrics of the process and of Node. */
  readonly processMetrics: boolean;
  /** Which worker it is of, in every line; absent in the process that starts them, or is alone. */
  readonly worker?: number | undefined;
}

/** Logs and metrics of one service, as configured. */
export function createObservation(options: ObservationOptions): Observation {
  const { config, clock, timers, random, version, logTo, processMetrics, worker } = options;
  const metrics = createMetrics({ clock, version, processMetrics });
  const destination = createLogDestination({
    to: logTo,
    timers,
    onDrop: (lines) => metrics.logLinesDropped(lines),
    isShared: config.workers > 1,
  });
  const logger = createLogger({ level: config.logLevel, clock, destination, worker });
  const decisionLog = createDecisionLog({
    destination,
    clock,
    which: config.logDecisions,
    sample: config.logDecisionsSample,
    random,
    worker,
  });
  const decisions = combineSinks([metrics.decisions, decisionLog], (thrown) =>
    logger.error(thrownFields(thrown), 'a decision could not be recorded'),
  );
  return { logger, decisions, metrics, close: () => destination.close() };
}
