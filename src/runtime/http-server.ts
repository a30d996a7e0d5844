import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from './node-http.ts';
import type { Logger, Timers } from '../core/ports.ts';
import { listenFailure } from '../grpc/listen-failure.ts';
import { thrownFields } from '../core/thrown-fields.ts';
import { formatSocketAddress } from '../std/socket-address.ts';
import type { TcpAddress } from './config/setting-types.ts';
import { textAnswer, type HttpAnswer } from './http-answer.ts';

export interface HttpServer {
  /** `127.0.0.1:9002`, with the port that was given for 0. */
  readonly address: string;
  /** Accepts nothing new and ends once what is under way is answered, or after two seconds. */
  close(): Promise<void>;
}

export interface HttpServerOptions {
  readonly address: TcpAddress;
  readonly answer: (request: IncomingMessage) => HttpAnswer | Promise<HttpAnswer>;
  readonly timers: Timers;
  readonly logger: Logger;
}

const closeWaitMs = 2000;

/** Limits that keep a slow or greedy client from holding connections: nothing of ours needs longer. */
const limits = {
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 16_384,
} as const;
const maxConnections = 512;

/** A small HTTP/1.1 server. Throws a Failure (`address_in_use`, `address_forbidden`, `address_unavailable`) where it cannot listen. */
export async function createHttpServer({ address, answer, timers, logger }: HttpServerOptions): Promise<HttpServer> {
  const server = createServer(limits, (request, response) => {
    void respond(request, response, answer, logger);
  });
  server.maxConnections = maxConnections;
  await listen(server, address);
  server.on('error', (error) => logger.warn(thrownFields(error), 'the HTTP server could not accept a connection'));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  return { address: formatSocketAddress({ ...address, port }), close: () => close(server, timers) };
}

function listen(server: Server, address: TcpAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (cause: unknown): void => reject(listenFailure(formatSocketAddress(address), cause));
    server.once('error', refused);
    server.listen({ host: address.host, port: address.port }, () => {
      server.off('error', refused);
      resolve();
    });
  });
}

function close(server: Server, timers: Timers): Promise<void> {
  return new Promise((resolve) => {
    const cancel = timers.after(closeWaitMs, () => server.closeAllConnections());
    server.close(() => {
      cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Never rejects. */
async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: HttpServerOptions['answer'],
  logger: Logger,
): Promise<void> {
  let given: HttpAnswer;
  try {
    given = await answer(request);
  } catch (thrown) {
    logger.error(thrownFields(thrown), 'an HTTP endpoint failed');
    given = textAnswer(500, 'internal error');
  }
  const body = Buffer.from(given.body, 'utf8');
  response.writeHead(given.status, {
    'content-type': given.contentType,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...given.headers,
    // Nobody reads a body: the connection ends rather than wait for it.
    ...(hasBody(request) ? { connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
