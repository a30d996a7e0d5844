import type { MetricRegistry } from './metric-registry.ts';

/** The `grpc_server_*` metrics, named and labelled as by go-grpc-prometheus, whose dashboards are everywhere. */
export interface GrpcMetrics {
  /** Binds the metrics of one method, whose path is `/package.Service/Method`. */
  bind(path: string, type: 'unary' | 'server_stream'): GrpcMethodMetrics;
}

export interface GrpcMethodMetrics {
  started(): void;
  /** `code`: a status code of gRPC, 0 to 16. */
  handled(code: number, durationMs: number): void;
}

/** As Go spells them, by number. */
const codeNames = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
] as const;
const unknownCode = 2;

export function createGrpcMetrics(registry: MetricRegistry): GrpcMetrics {
  const started = registry.counter('grpc_server_started_total');
  const handled = registry.counter('grpc_server_handled_total');
  const duration = registry.histogram('grpc_server_handling_seconds');
  return {
    bind(path, type) {
      const [, service = '', method = ''] = path.split('/');
      const labels = { grpc_type: type, grpc_service: service, grpc_method: method };
      started.inc(labels, 0);
      const startedChild = started.labels(labels);
      const durationChild = duration.labels(labels);
      const handledChildren = codeNames.map((grpc_code) => {
        handled.inc({ ...labels, grpc_code }, 0);
        return handled.labels({ ...labels, grpc_code });
      });
      return {
        started: () => startedChild.inc(),
        handled(code, durationMs) {
          (handledChildren[code] ?? handledChildren[unknownCode])?.inc();
          if (type === 'unary') durationChild.observe(durationMs / 1000);
        },
      };
    },
  };
}
