import { codecOf } from './protos.ts';
import { RpcFailure, type Method, type ServerStream } from '../grpc/transport.ts';

/** The service grpc.health.v1.Health: what proxies and kubelets ask before they send checks. */
export interface HealthService {
  readonly methods: readonly Method[];
  /** NOT_SERVING until told true. Every watcher hears of a change at once. */
  setServing(serving: boolean): void;
}

/** The whole server, and the one service on it. */
const knownServices: ReadonlySet<string> = new Set(['', 'envoy.service.auth.v3.Authorization']);

const servingStatus = { serving: 1, notServing: 2, serviceUnknown: 3 } as const;

/** `maxWatchers`: further watchers are refused with RESOURCE_EXHAUSTED; 1000 where it is not given. */
export function createHealthService(maxWatchers = 1000): HealthService {
  const request = codecOf('grpc.health.v1.HealthCheckRequest');
  const response = codecOf('grpc.health.v1.HealthCheckResponse');
  const bytes = {
    serving: response.encode({ status: servingStatus.serving }),
    notServing: response.encode({ status: servingStatus.notServing }),
    serviceUnknown: response.encode({ status: servingStatus.serviceUnknown }),
  };
  const watchers = new Set<ServerStream>();
  let open = 0;
  let current = bytes.notServing;

  function knows(message: Uint8Array): boolean {
    let decoded: { readonly service?: string };
    try {
      decoded = request.decode(message);
    } catch {
      throw new RpcFailure('INVALID_ARGUMENT', 'The message is not a HealthCheckRequest.');
    }
    return knownServices.has(decoded.service ?? '');
  }

  function check(message: Uint8Array): Uint8Array {
    if (!knows(message)) throw new RpcFailure('NOT_FOUND', 'The service is not known here.');
    return current;
  }

  /** The protocol wants a watch of an unknown service to stay open: it may become known. Here none ever does. */
  function watch(message: Uint8Array, stream: ServerStream): () => void {
    const known = knows(message);
    if (open >= maxWatchers) throw new RpcFailure('RESOURCE_EXHAUSTED', 'There are too many watchers.');
    open++;
    if (known) watchers.add(stream);
    stream.send(known ? current : bytes.serviceUnknown);
    return () => {
      open--;
      watchers.delete(stream);
    };
  }

  return {
    methods: [
      { kind: 'unary', path: '/grpc.health.v1.Health/Check', fallback: undefined, handle: check },
      { kind: 'server-streaming', path: '/grpc.health.v1.Health/Watch', open: watch },
    ],
    setServing(serving) {
      const next = serving ? bytes.serving : bytes.notServing;
      if (next === current) return;
      current = next;
      for (const stream of watchers) stream.send(current);
    },
  };
}
