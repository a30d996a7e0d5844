import type { Gauge } from 'prom-client';
import type { Clock, DecisionSink, ExpressionEvents, IdentityEvents, ReviewEvents } from '../core/ports.ts';
import type { ServiceStatus } from '../core/status.ts';
import { createDecisionMetrics } from './decision-metrics.ts';
import { createExpressionMetrics } from './expression-metrics.ts';
import { createGrpcMetrics, type GrpcMetrics } from './grpc-metrics.ts';
import { createIdentityMetrics } from './identity-metrics.ts';
import { mergeMetrics, type MetricSnapshot } from './merge-metrics.ts';
import { createMetricRegistry, type MetricRegistry } from './metric-registry.ts';
import { createReviewMetrics } from './review-metrics.ts';
import { createIssuerEventCounter, type IssuerEventResult } from './revocation-metrics.ts';
import { createStatusMetrics } from './status-metrics.ts';
import { createTlsMetrics, type TlsMetrics } from './tls-metrics.ts';

export type UncaughtKind = 'exception' | 'rejection';

export const workerStates = ['serving', 'starting', 'late'] as const;
export type WorkerState = (typeof workerStates)[number];

/** `died`: by itself; by the others it was ended. */
export const workerExitReasons = ['died', 'unstarted', 'hung', 'late', 'failed'] as const;
export type WorkerExitReason = (typeof workerExitReasons)[number];

export interface Metrics {
  readonly decisions: DecisionSink;
  readonly identity: IdentityEvents;
  readonly expressions: ExpressionEvents;
  readonly reviews: ReviewEvents;
  readonly grpc: GrpcMetrics;
  readonly tls: TlsMetrics;
  /** Counts an event that an issuer delivered, or a delivery that was not taken; `event` is one of a fixed set. */
  issuerEvent(event: string, result: IssuerEventResult): void;
  logLinesDropped(lines: number): void;
  uncaught(kind: UncaughtKind): void;
  /** From now on `read` is asked for the status at each exposition; until then the gauges say that nothing serves. */
  observeStatus(read: () => ServiceStatus): void;
  /** From now on `read` is asked at each exposition which collections of the API server are followed. */
  observeWatches(read: () => readonly WatchState[]): void;
  /** From now on what is exposed is of this process and of those whose metrics `read` gives, and the ends of those are counted, from zero on. */
  observeProcesses(read: () => Promise<readonly (readonly MetricSnapshot[])[]>): void;
  workers(states: Readonly<Record<WorkerState, number>>): void;
  workerEnded(reason: WorkerExitReason): void;
  /** The metrics of this process, for another one that exposes them. */
  snapshots(): Promise<readonly MetricSnapshot[]>;
  /** The exposition for Prometheus: all metrics as text, and the content type of that text. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** A collection of the API server; `failure` is why it is not followed right now. */
export interface WatchState {
  readonly failure: string | undefined;
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
  const watches = registry.gauge('portcullis_watches');
  const workers = registry.gauge('portcullis_workers');
  const workerExits = registry.counter('portcullis_worker_exits_total');
  let readProcesses: (() => Promise<readonly (readonly MetricSnapshot[])[]>) | undefined;
  let readStatus: (() => ServiceStatus) | undefined;
  let readWatches: (() => readonly WatchState[]) | undefined;
  const update = (): void => {
    if (readStatus !== undefined) updateStatus(readStatus());
    updateTls();
    if (readWatches !== undefined) countWatches(watches, readWatches());
  };
  registry.gauge('portcullis_build_info').set({ version, node: process.versions.node }, 1);
  return {
    decisions: createDecisionMetrics(registry),
    identity: createIdentityMetrics(registry),
    expressions: createExpressionMetrics(registry),
    reviews: createReviewMetrics(registry),
    grpc: createGrpcMetrics(registry),
    tls,
    issuerEvent: createIssuerEventCounter(registry),
    logLinesDropped: (lines) => dropped.inc(lines),
    uncaught: createUncaughtCounter(registry),
    observeStatus: (read) => {
      readStatus = read;
    },
    observeWatches: (read) => {
      readWatches = read;
    },
    observeProcesses: (read) => {
      readProcesses = read;
      for (const reason of workerExitReasons) workerExits.inc({ reason }, 0);
    },
    workers: (states) => {
      for (const state of workerStates) workers.set({ state }, states[state]);
    },
    workerEnded: (reason) => workerExits.inc({ reason }),
    snapshots: () => {
      update();
      return registry.snapshots();
    },
    expose: async () => {
      update();
      if (readProcesses === undefined) return registry.expose();
      const others = await readProcesses();
      return mergeMetrics(await registry.snapshots(), others);
    },
  };
}

function countWatches(watches: Gauge, states: readonly WatchState[]): void {
  const failing = states.filter(({ failure }) => failure !== undefined).length;
  watches.set({ state: 'failing' }, failing);
  watches.set({ state: 'followed' }, states.length - failing);
}

function createUncaughtCounter(registry: MetricRegistry): (kind: UncaughtKind) => void {
  const uncaught = registry.counter('portcullis_uncaught_errors_total');
  uncaught.inc({ kind: 'exception' }, 0);
  uncaught.inc({ kind: 'rejection' }, 0);
  return (kind) => uncaught.inc({ kind });
}
