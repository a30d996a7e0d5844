/**
 * The same exchange on @grpc/grpc-js, bytes in and bytes out: `node bench/bare-grpc-js.ts PORT ANSWER`, the answer in base64 with its gRPC prefix.
 */
import { Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js';

const [port = '', answer = ''] = process.argv.slice(2);
const message = Buffer.from(answer, 'base64').subarray(5);
const path = '/envoy.service.auth.v3.Authorization/Check';
const same = (bytes: Buffer): Buffer => bytes;
const definition = {
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
} as const;

const server = new Server({ 'grpc.enable_channelz': 0 });
server.addService(
  { [path]: definition },
  {
    [path]: (_call: unknown, callback: sendUnaryData<Buffer>) => callback(null, message),
  },
);
server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
});
process.once('SIGTERM', () => process.exit());
