import { RpcFailure, type Method, type ServerStream } from '../grpc/transport.ts';
import { WireReader } from '../std/wire-reader.ts';

/** The service grpc.health.v1.Health: what proxies and kubelets ask before they send checks. */
export interface HealthService {
  readonly methods: readonly Method[];
  /** NOT_SERVING until told true. Every watcher hears of a change at once. */
  setServing(serving: boolean): void;
}

/** The whole server, and the one service on it. */
const knownServices: ReadonlySet<string> = new Set(['', 'envoy.service.auth.v3.Authorization']);

/** HealthCheckResponse with nothing but its field `status = 1` (ServingStatus), and HealthCheckRequest's field. */
const answers = {
  serving: Uint8Array.of(8, 1),
  notServing: Uint8Array.of(8, 2),
  serviceUnknown: Uint8Array.of(8, 3),
} as const;
const serviceField = 1;

/** `maxWatchers`: further watchers are refused with RESOURCE_EXHAUSTED; 1000 where it is not given. */
export function createHealthService(maxWatchers = 1000): HealthService {
  const watchers = new Set<ServerStream>();
  let open = 0;
  let current: Uint8Array = answers.notServing;

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
    stream.send(known ? current : answers.serviceUnknown);
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
      const next = serving ? answers.serving : answers.notServing;
      if (next === current) return;
      current = next;
      for (const stream of watchers) stream.send(current);
    },
  };
}

/** By hand, as the other message that is asked of us: what reads `.proto` files need not be loaded to serve. */
function knows(message: Uint8Array): boolean {
  let service = '';
  try {
    const reader = new WireReader(message);
    for (let field = reader.next(reader.length, [serviceField]); field !== 0;) {
      if (field === serviceField) service = reader.text();
      else reader.pass();
      field = reader.next(reader.length, [serviceField]);
    }
  } catch {
    throw new RpcFailure('INVALID_ARGUMENT', 'The message is not a HealthCheckRequest.');
  }
  return knownServices.has(service);
}
