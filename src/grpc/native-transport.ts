import type { TakeConnection } from '../std/listen.ts';
import { bindMethods } from './bind-methods.ts';
import { createGrpcApplication } from './grpc-application.ts';
import { createHttp2Server } from './http2/server.ts';
import { createListeners } from './listeners.ts';
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
      createGrpcApplication(bound, { clock, log, maxReceiveBytes, openStreams, budget: createBudget() }),
    now: () => clock.monotonic(),
    timers,
    onError(why, isOurs) {
      if (isOurs) log.error({ why }, 'a connection was closed: it could not be served');
      else log.debug({ why }, 'a connection was closed: its peer does not keep to the protocol');
    },
  });
  let isStopping = false;
  const take: TakeConnection = (socket) => {
    // A handshake may end after the drain has begun.
    if (isStopping) socket.destroy();
    else server.take(socket);
  };
  const listeners = createListeners(options.unixSocketMode, options.secure?.(take) ?? take);

  function cutOff(): void {
    server.close();
    listeners.destroyConnections();
  }

  async function close(): Promise<void> {
    isStopping = true;
    const closed = listeners.close();
    openStreams.endAll();
    cutOff();
    await closed;
  }

  async function drain(timeoutMs: number): Promise<'drained' | 'forced'> {
    let end: 'drained' | 'forced' = 'drained';
    isStopping = true;
    const closed = listeners.close();
    openStreams.endAll();
    server.drain();
    const cancelTimer = timers.after(timeoutMs, () => {
      end = 'forced';
      cutOff();
    });
    await closed;
    cancelTimer();
    return end;
  }

  return { listen: (address) => listeners.listen(address), drain, close };
}
