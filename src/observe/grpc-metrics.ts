import type { MetricRegistry } from './metric-registry.ts';

/** The `grpc_server_*` metrics, named and labelled as by go-grpc-prometheus, whose dashboards are everywhere. */
export interface GrpcMetrics {
  /** Binds the metrics of one method, whose path is `/package.Service/Method`. */
  bind(path: string, type: 'unary' | 'server_stream'): GrpcMethodMetrics;
}

export interface GrpcMethodMetrics {
  started(): void;
  handled(code: GrpcCode, durationMs: number): void;
}

/** As Go spells the statuses, which is what dashboards ask for; only those that a method of ours ends with. */
const codeNames = {
  OK: 'OK',
  CANCELLED: 'Canceled',
  UNKNOWN: 'Unknown',
  INVALID_ARGUMENT: 'InvalidArgument',
  NOT_FOUND: 'NotFound',
  RESOURCE_EXHAUSTED: 'ResourceExhausted',
  INTERNAL: 'Internal',
  UNAVAILABLE: 'Unavailable',
} as const;

export type GrpcCode = keyof typeof codeNames;

export function createGrpcMetrics(registry: MetricRegistry): GrpcMetrics {
  const started = registry.counter('grpc_server_started_total');
  const handled = registry.counter('grpc_server_handled_total');
  const duration = registry.timing('grpc_server_handling_seconds');
  return {
    bind(path, type) {
      const [, service = '', method = ''] = path.split('/');
      const labels = { grpc_type: type, grpc_service: service, grpc_method: method };
      const startedTally = registry.tally(started, labels);
      const timing = type === 'unary' ? duration.series(labels) : undefined;
      const handledTallies = new Map(
        Object.entries(codeNames).map(([code, name]) => [
          code,
          registry.tally(handled, { ...labels, grpc_code: name }),
        ]),
      );
      return {
        started: () => startedTally.inc(),
        handled(code, durationMs) {
          handledTallies.get(code)?.inc();
          timing?.observe(durationMs / 1000);
        },
      };
    },
  };
}
