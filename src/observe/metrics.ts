import type { Clock, DecisionSink, ExpressionEvents, IdentityEvents } from '../core/ports.ts';
import type { ServiceStatus } from '../core/status.ts';
import { createDecisionMetrics } from './decision-metrics.ts';
import { createExpressionMetrics } from './expression-metrics.ts';
import { createGrpcMetrics, type GrpcMetrics } from './grpc-metrics.ts';
import { createIdentityMetrics } from './identity-metrics.ts';
import { createMetricRegistry, type MetricRegistry } from './metric-registry.ts';
import { createStatusMetrics } from './status-metrics.ts';
import { createTlsMetrics, type TlsMetrics } from './tls-metrics.ts';

export type UncaughtKind = 'exception' | 'rejection';

export interface Metrics {
  readonly decisions: DecisionSink;
  readonly identity: IdentityEvents;
  readonly expressions: ExpressionEvents;
  readonly grpc: GrpcMetrics;
  readonly tls: TlsMetrics;
  logLinesDropped(lines: number): void;
  uncaught(kind: UncaughtKind): void;
  /** From now on `read` is asked for the status at each exposition; until then the gauges say that nothing serves. */
  observeStatus(read: () => ServiceStatus): void;
  /** The exposition for Prometheus: all metrics as text, and the content type of that text. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface MetricsOptions {
  readonly clock: Clock;
  readonly version: string;
  /** Also the metrics of the process and of Node; one of these in a process is enough. */
  readonly processMetrics: boolean;
}

/** Every metric of the table, in a registry of its own. */
export function createMetrics({ clock, version, processMetrics }: MetricsOptions): Metrics {
  const registry = createMetricRegistry(processMetrics);
  const dropped = registry.counter('portcullis_log_lines_dropped_total');
  const updateStatus = createStatusMetrics(registry, clock);
  const { tls, update: updateTls } = createTlsMetrics(registry, clock);
  let readStatus: (() => ServiceStatus) | undefined;
  registry.gauge('portcullis_build_info').set({ version, node: process.versions.node }, 1);
  return {
    decisions: createDecisionMetrics(registry),
    identity: createIdentityMetrics(registry),
    expressions: createExpressionMetrics(registry),
    grpc: createGrpcMetrics(registry),
    tls,
    logLinesDropped: (lines) => dropped.inc(lines),
    uncaught: createUncaughtCounter(registry),
    observeStatus: (read) => {
      readStatus = read;
    },
    expose: () => {
      if (readStatus !== undefined) updateStatus(readStatus());
      updateTls();
      return registry.expose();
    },
  };
}

function createUncaughtCounter(registry: MetricRegistry): (kind: UncaughtKind) => void {
  const uncaught = registry.counter('portcullis_uncaught_errors_total');
  uncaught.inc({ kind: 'exception' }, 0);
  uncaught.inc({ kind: 'rejection' }, 0);
  return (kind) => uncaught.inc({ kind });
}
