import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** A party that is asked over HTTP, on the loopback: right until it is told to be otherwise. */
export interface FaultyServer {
  /** `http://127.0.0.1:PORT`, whether it is up or not. */
  readonly url: string;
  /** The paths asked for since the start, in order. */
  readonly asked: readonly string[];
  /** From now on what is asked below the path (default: anything) meets the fault. */
  fail(fault: Fault, path?: string): Promise<void>;
  /** Makes all well again. */
  mend(): Promise<void>;
  close(): Promise<void>;
}

/** What a party may do wrong. `down`: nobody listens. */
export type Fault = (typeof faults)[number];
export const faults = [
  'down',
  'slow',
  'dripping',
  'of 10 MB',
  'HTML with status 200',
  'a redirect to a metadata address',
  'a redirect to itself',
  'status 500',
  'empty',
  'cut off',
  'a gzip bomb',
  'bytes that are no text',
  'a list',
  'closed without an answer',
] as const;

/** 20 MB of spaces. */
const bomb = gzipSync(Buffer.alloc(20_000_000, 0x20));

const json = { 'content-type': 'application/json' };

const listeners: Readonly<Record<Exclude<Fault, 'down'>, RequestListener>> = {
  slow: () => undefined,
  dripping: (_request, response) => drip(response),
  'of 10 MB': (_request, response) => response.writeHead(200, json).end(`{"x":"${'a'.repeat(10_000_000)}"}`),
  'HTML with status 200': (_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Sign in</title>'),
  'a redirect to a metadata address': (_request, response) =>
    response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end(),
  'a redirect to itself': (request, response) =>
    response.writeHead(307, { location: `${request.url ?? '/'}?again` }).end(),
  'status 500': (_request, response) => response.writeHead(500, json).end('{}'),
  empty: (_request, response) => response.writeHead(200, json).end(),
  'cut off': (_request, response) => {
    response.writeHead(200, { ...json, 'content-length': 1_000 }).write('{"keys":[');
    setTimeout(() => response.destroy(), 10);
  },
  'a gzip bomb': (_request, response) => response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(bomb),
  'bytes that are no text': (_request, response) => response.writeHead(200, json).end(Buffer.from([0x7b, 0xff, 0x7d])),
  'a list': (_request, response) => response.writeHead(200, json).end('[]'),
  'closed without an answer': (request) => request.socket.destroy(),
};

/** A byte now and then, without an end. */
function drip(response: ServerResponse): void {
  response.writeHead(200, json);
  const timer = setInterval(() => response.write(' '), 10);
  response.on('close', () => clearInterval(timer));
}

export async function startFaultyServer(good: RequestListener): Promise<FaultyServer> {
  const asked: string[] = [];
  let faulty: { readonly fault: Exclude<Fault, 'down'>; readonly path: string } | undefined;
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const isFaulty = faulty !== undefined && path.startsWith(faulty.path);
    (isFaulty && faulty !== undefined ? listeners[faulty.fault] : good)(request, response);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((closed) => server.close(closed));
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    fail: async (fault, path = '/') => {
      if (fault === 'down') await close();
      else faulty = { fault, path };
    },
    mend: async () => {
      faulty = undefined;
      if (!server.listening) await listen(port);
    },
    close,
  };
}
