import { Server, ServerCredentials, type MethodDefinition } from '@grpc/grpc-js';
import { createTransport, type CallServer } from '../grpc/create-transport.ts';
import { defaultMaxReceiveBytes, type Method, type Transport, type TransportOptions } from '../grpc/transport.ts';
import { asBuffer } from '../std/as-buffer.ts';
import { compileGrpcJsHandlers, type GrpcJsHandlers } from './grpc-js-handlers.ts';

/** The transport on @grpc/grpc-js. docs/grpc.md says what grpc-js answers by itself, before a method of ours is asked. */
export function createGrpcJsTransport(methods: readonly Method[], options: TransportOptions): Transport {
  const { clock, log } = options;
  const handlers = compileGrpcJsHandlers(methods, clock, log);
  const server = createServer(methods, handlers, options.maxReceiveBytes ?? defaultMaxReceiveBytes);
  // TLS is not its business: a socket that was secured before is one like any other for grpc-js.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const calls: CallServer = {
    take: (socket) => injector.injectConnection(socket),
    endStreams: () => handlers.endStreams(),
    // It calls back too early (Node's server has told its sessions to close by then, and grpc-js takes them for gone), so nobody listens.
    drain: () => server.tryShutdown(() => {}),
    close: () => server.forceShutdown(),
  };
  return createTransport(calls, options);
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
