import type { Clock } from '../core/ports.ts';
import { RpcFailure, type Method, type ServerStreamingMethod, type UnaryMethod } from '../grpc/transport.ts';
import type { GrpcCode, GrpcMethodMetrics, GrpcMetrics } from '../observe/grpc-metrics.ts';

/** The same method, counted and timed in `grpc_server_*`. What the transport answers by itself (a malformed frame, an unknown method) is not in it. */
export function measureMethod(method: Method, metrics: GrpcMetrics, clock: Clock): Method {
  return method.kind === 'unary'
    ? measureUnary(method, metrics.bind(method.path, 'unary'), clock)
    : measureStreaming(method, metrics.bind(method.path, 'server_stream'), clock);
}

function measureUnary(method: UnaryMethod, metrics: GrpcMethodMetrics, clock: Clock): UnaryMethod {
  const failedCode = (thrown: unknown): GrpcCode => (method.fallback === undefined ? codeOfThrown(thrown) : 'OK');
  return {
    ...method,
    handle(request, call) {
      const start = clock.monotonic();
      const handled = (code: GrpcCode): void => metrics.handled(code, clock.monotonic() - start);
      metrics.started();
      let answer: Uint8Array | Promise<Uint8Array>;
      try {
        answer = method.handle(request, call);
      } catch (thrown) {
        handled(failedCode(thrown));
        throw thrown;
      }
      if (!(answer instanceof Promise)) {
        handled('OK');
        return answer;
      }
      // Beside the promise, not in its chain: measuring must not make the answer later.
      answer.then(
        () => handled('OK'),
        (thrown: unknown) => handled(failedCode(thrown)),
      );
      return answer;
    },
  };
}

function measureStreaming(
  method: ServerStreamingMethod,
  metrics: GrpcMethodMetrics,
  clock: Clock,
): ServerStreamingMethod {
  return {
    ...method,
    open(request, stream) {
      const start = clock.monotonic();
      let endedWith: GrpcCode = 'CANCELLED';
      const handled = (code: GrpcCode): void => metrics.handled(code, clock.monotonic() - start);
      metrics.started();
      let onEnd: () => void;
      try {
        onEnd = method.open(request, {
          send: (message) => stream.send(message),
          end: (failure) => {
            endedWith = failure.status;
            stream.end(failure);
          },
        });
      } catch (thrown) {
        handled(codeOfThrown(thrown));
        throw thrown;
      }
      return () => {
        // A stream that the method did not end was ended by the client, or by a transport that closes.
        handled(endedWith);
        onEnd();
      };
    },
  };
}

function codeOfThrown(thrown: unknown): GrpcCode {
  return thrown instanceof RpcFailure ? thrown.status : 'UNKNOWN';
}
