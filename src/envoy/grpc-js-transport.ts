import { Server, ServerCredentials, type MethodDefinition } from '@grpc/grpc-js';
import type { Clock, Logger, Timers } from '../core/ports.ts';
import { listenOn, type Listener, type TakeConnection } from '../std/listen.ts';
import { formatSocketAddress, parseSocketAddress } from '../std/socket-address.ts';
import { compileGrpcJsHandlers, type GrpcJsHandlers } from './grpc-js-handlers.ts';
import { invalidAddress, listenFailure } from './listen-failure.ts';
import { asBuffer } from './protos.ts';
import type { Method, Transport } from './transport.ts';

export interface GrpcJsTransportOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** The longest message that is received, bytes; 16 MiB where it is not given (a proxy may send bodies along). */
  readonly maxReceiveBytes?: number;
  /** File mode of a unix socket; 0660 where it is not given. */
  readonly unixSocketMode?: number;
  /**
   * How connections are secured: it gets what takes a secured connection, and answers what takes a fresh one. Cleartext HTTP/2 where it
   * is not given.
   */
  readonly secure?: ((handOver: TakeConnection) => TakeConnection) | undefined;
}

/** The transport on @grpc/grpc-js. docs/grpc.md says what grpc-js answers by itself, before a method of ours is asked. */
export function createGrpcJsTransport(methods: readonly Method[], options: GrpcJsTransportOptions): Transport {
  const { clock, timers, log } = options;
  const handlers = compileGrpcJsHandlers(methods, clock, log);
  const server = createServer(methods, handlers, options.maxReceiveBytes ?? 16 * 1024 * 1024);
  // TLS is not its business: a socket that was secured before is one like any other for grpc-js.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listeners: Listener[] = [];
  let stopping = false;
  const inject: TakeConnection = (socket) => {
    // A handshake may end after the drain has begun, and grpc-js would keep such a connection for ever.
    if (stopping) socket.destroy();
    else injector.injectConnection(socket);
  };
  const onConnection = options.secure?.(inject) ?? inject;

  async function listen(text: string): Promise<string> {
    const address = parseSocketAddress(text);
    if (address === undefined) throw invalidAddress(text);
    try {
      const listener = await listenOn(address, options.unixSocketMode ?? 0o660, onConnection);
      listeners.push(listener);
      return formatSocketAddress(listener.address);
    } catch (cause) {
      throw listenFailure(text, cause);
    }
  }

  function cutOff(): void {
    server.forceShutdown();
    for (const listener of listeners) listener.destroyConnections();
  }

  async function close(): Promise<void> {
    stopping = true;
    const closed = listeners.map((listener) => listener.close());
    handlers.endStreams();
    cutOff();
    await Promise.all(closed);
  }

  async function drain(timeoutMs: number): Promise<'drained' | 'forced'> {
    let end: 'drained' | 'forced' = 'drained';
    stopping = true;
    const closed = Promise.all(listeners.map((listener) => listener.close()));
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

  return { listen, drain, close };
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
