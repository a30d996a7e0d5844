import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { SocketAddress } from './socket-address.ts';

/** Takes a connection over, with all that becomes of it. */
export type TakeConnection = (socket: Socket) => void;

/** A bound server socket. */
export interface Listener {
  /** What is bound: the port that was given for 0. */
  readonly address: SocketAddress;
  /** Accepts nothing new, at once; resolves when the last accepted connection has ended too. A unix socket's file is removed. */
  close(): Promise<void>;
  /** Cuts off every accepted connection. */
  destroyConnections(): void;
}

/** Once a peer has said nothing for so long, the system asks it: a host that is gone without a word would keep its connections for ever. */
const keepAliveMs = 60_000;

/**
 * Listens and hands every connection over. A unix socket gets the mode, and a socket file that nobody listens on any more is
 * replaced. Rejects with the system's error, its `code` such as EADDRINUSE, or ENOTSOCK where the path is a file of another kind.
 */
export async function listenOn(
  address: SocketAddress,
  unixMode: number,
  onConnection: TakeConnection,
): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  if (address.kind === 'tcp') await bind(server, { host: address.host, port: address.port });
  else await bindUnix(server, address.path, unixMode);
  // An accept that fails (no file descriptors left) ends that connection, not the process.
  server.on('error', () => {});
  return {
    address: boundAddress(server, address),
    close: () => closeServer(server),
    destroyConnections() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function bindUnix(server: Server, path: string, mode: number): Promise<void> {
  try {
    await bind(server, { path });
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    await removeStaleSocket(path);
    await bind(server, { path });
  }
  await chmod(path, mode);
}

function bind(server: Server, options: { host: string; port: number } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Removes a socket file whose server is gone; rejects where somebody listens or it is no socket. */
async function removeStaleSocket(path: string): Promise<void> {
  const before = await lstat(path);
  if (!before.isSocket()) throw systemError('ENOTSOCK', `${path} is there and is not a socket`);
  if (await isListenedOn(path)) throw systemError('EADDRINUSE', `${path} is in use`);
  const after = await lstat(path);
  // Another process may have put its own there meanwhile.
  if (after.ino !== before.ino || after.dev !== before.dev) throw systemError('EADDRINUSE', `${path} is in use`);
  await unlink(path);
}

/** False only where the system says that nobody listens. */
function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED'));
  });
}

function boundAddress(server: Server, asked: SocketAddress): SocketAddress {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return asked;
  return { kind: 'tcp', host: bound.address, port: bound.port };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

/** The `code` of a system error; empty where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
