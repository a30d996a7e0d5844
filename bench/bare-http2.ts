/**
 * The measure for every row: a gRPC exchange on node:http2 that reads the message and answers always the same.
 * `node bench/bare-http2.ts PORT ANSWER`, the answer in base64 with its gRPC prefix.
 */
import { createServer, type ServerHttp2Stream } from 'node:http2';

const [port = '', answer = ''] = process.argv.slice(2);
const bytes = Buffer.from(answer, 'base64');
const headers = { ':status': 200, 'content-type': 'application/grpc' };
const trailers = { 'grpc-status': '0' };

function exchange(stream: ServerHttp2Stream): void {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    const [only, ...others] = chunks;
    const message = only !== undefined && others.length === 0 ? only : Buffer.concat(chunks);
    if (message.length < 5 || message.readUInt32BE(1) !== message.length - 5) {
      stream.close();
      return;
    }
    stream.respond(headers, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(bytes);
  });
}

const server = createServer();
server.on('stream', exchange);
server.listen(Number(port), '127.0.0.1');
process.once('SIGTERM', () => process.exit());
