import { bindMethods } from './bind-methods.ts';
import { createTransport, type CallServer } from './create-transport.ts';
import { createGrpcApplication } from './grpc-application.ts';
import { createHttp2Server } from './http2/server.ts';
import { createMessageBudgets } from './message-budget.ts';
import { createOpenStreams } from './open-streams.ts';
import { defaultMaxReceiveBytes, type Method, type Transport, type TransportOptions } from './transport.ts';

/** The transport of our own: gRPC on HTTP/2, made for many small unary calls. docs/grpc.md says what it answers by itself. */
export function createNativeTransport(methods: readonly Method[], options: TransportOptions): Transport {
  const { clock, timers, log, maxReceiveBytes = defaultMaxReceiveBytes } = options;
  const bound = bindMethods(methods, log);
  const createBudget = createMessageBudgets(maxReceiveBytes);
  const openStreams = createOpenStreams();
  const server = createHttp2Server({
    createApplication: () =>
      createGrpcApplication(bound, {
        clock,
        log,
        maxReceiveBytes,
        openStreams,
        budget: createBudget(),
        peer: { count: 0, bytes: 0 },
      }),
    now: () => clock.monotonic(),
    timers,
    onError(why, isOurs) {
      if (isOurs) log.error({ why }, 'a connection was closed: it could not be served');
      else log.debug({ why }, 'a connection was closed: its peer does not keep to the protocol');
    },
  });
  const calls: CallServer = {
    take: (socket) => server.take(socket),
    endStreams: () => openStreams.endAll(),
    drain: () => server.drain(),
    close: () => server.close(),
  };
  return createTransport(calls, options);
}
