import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { codecOf } from '../../../src/envoy/protos.ts';
import { asBuffer } from '../../../src/std/as-buffer.ts';

/** An ext_authz service that answers whatever a test wants, to see what Envoy makes of it. */
export interface FakeCheckServer {
  readonly address: string;
  /** The CheckRequests received, decoded. */
  readonly requests: readonly object[];
  close(): void;
}

/** `answer` gives the CheckResponse of a request; it may throw, and then the call ends with a gRPC error. */
export async function startFakeCheckServer(answer: (request: object) => object): Promise<FakeCheckServer> {
  const decoder = codecOf('envoy.service.auth.v3.CheckRequest');
  const encoder = codecOf('envoy.service.auth.v3.CheckResponse');
  const requests: object[] = [];
  const server = new Server();
  const method = {
    path: '/envoy.service.auth.v3.Authorization/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: (bytes: Buffer) => decoder.decode(bytes),
    responseSerialize: (message: object) => asBuffer(encoder.encode(message)),
    responseDeserialize: (bytes: Buffer): object => bytes,
  };
  server.addService(
    { Check: method },
    {
      Check(call: ServerUnaryCall<object, object>, callback: sendUnaryData<object>) {
        requests.push(call.request);
        callback(null, answer(call.request));
      },
    },
  );
  const port = await bind(server);
  return { address: `127.0.0.1:${port}`, requests, close: () => server.forceShutdown() };
}

function bind(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}
