import { Server, ServerCredentials, type MethodDefinition } from '@grpc/grpc-js';
import { createListeners } from '../grpc/listeners.ts';
import { defaultMaxReceiveBytes, type Method, type Transport, type TransportOptions } from '../grpc/transport.ts';
import type { TakeConnection } from '../std/listen.ts';
import { compileGrpcJsHandlers, type GrpcJsHandlers } from './grpc-js-handlers.ts';
import { asBuffer } from './protos.ts';

/** The transport on @grpc/grpc-js. docs/grpc.md says what grpc-js answers by itself, before a method of ours is asked. */
export function createGrpcJsTransport(methods: readonly Method[], options: TransportOptions): Transport {
  const { clock, timers, log } = options;
  const handlers = compileGrpcJsHandlers(methods, clock, log);
  const server = createServer(methods, handlers, options.maxReceiveBytes ?? defaultMaxReceiveBytes);
  // TLS is not its business: a socket that was secured before is one like any other for grpc-js.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  let stopping = false;
  const inject: TakeConnection = (socket) => {
    // A handshake may end after the drain has begun, and grpc-js would keep such a connection for ever.
    if (stopping) socket.destroy();
    else injector.injectConnection(socket);
  };
  const listeners = createListeners(options.unixSocketMode, options.secure?.(inject) ?? inject);

  function cutOff(): void {
    server.forceShutdown();
    listeners.destroyConnections();
  }

  async function close(): Promise<void> {
    stopping = true;
    const closed = listeners.close();
    handlers.endStreams();
    cutOff();
    await closed;
  }

  async function drain(timeoutMs: number): Promise<'drained' | 'forced'> {
    let end: 'drained' | 'forced' = 'drained';
    stopping = true;
    const closed = listeners.close();
    handlers.endStreams();
    // grpc-js calls back too early here (Node's server has told its sessions to close by then, and grpc-js takes them for gone):
    // what is waited for is the end of the connections.
    server.tryShutdown(() => {});
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

function createServer(methods: readonly Method[], handlers: GrpcJsHandlers, maxReceiveBytes: number): Server {
  const server = new Server({ 'grpc.max_receive_message_length': maxReceiveBytes, 'grpc.enable_channelz': 0 });
  server.addService(Object.fromEntries(methods.map((method) => [method.path, definitionOf(method)])), handlers.byPath);
  return server;
}

/** Bytes as they are in both directions: encoding and decoding belong to the services. */
function definitionOf(method: Method): MethodDefinition<Uint8Array, Uint8Array> {
  return {
    path: method.path,
    requestStream: false,
    responseStream: method.kind === 'server-streaming',
    requestSerialize: asBuffer,
    requestDeserialize: (bytes) => bytes,
    responseSerialize: asBuffer,
    responseDeserialize: (bytes) => bytes,
  };
}
