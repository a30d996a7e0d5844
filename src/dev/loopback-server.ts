import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Failure } from '../core/failure.ts';

/** An HTTP server of the demonstration, on 127.0.0.1 only. */
export interface LoopbackServer {
  readonly port: number;
  close(): Promise<void>;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves on the port (0: any that is free). Throws a Failure `port_in_use` where somebody else has it. */
export async function startLoopbackServer(port: number, answer: Answer): Promise<LoopbackServer> {
  const server = createServer({ insecureHTTPParser: false }, answer);
  await listen(server, port);
  return {
    port: portOf(server),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

/** Throws a Failure `port_in_use` where somebody has the port already; 0 always passes. */
export async function assertPortFree(port: number): Promise<void> {
  const server = await startLoopbackServer(port, (_request, response) => response.destroy());
  await server.close();
}

/** Writes the value as JSON and ends the response. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(value, undefined, 2)}\n`);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const inUse = cause.code === 'EADDRINUSE';
      const message = inUse ? `Port ${port} is in use.` : `Port ${port} cannot be bound: ${cause.message}`;
      reject(new Failure(inUse ? 'port_in_use' : 'port_unusable', message, { cause }));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Failure('port_unusable', 'The server has no port.');
  return address.port;
}
