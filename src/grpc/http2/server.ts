import type { Timers } from '../../core/ports.ts';
import type { TakeConnection } from '../../std/listen.ts';
import type { Http2Application } from './application.ts';
import { Http2Connection } from './connection.ts';
import { tickMs } from './limits.ts';
import { Output } from './output.ts';
import { HeadReader } from './request-head.ts';
import { createServerLoad } from './server-load.ts';

export interface Http2ServerOptions<Request, Exchange> {
  /** Answers the requests of one connection; asked for each. */
  readonly createApplication: () => Http2Application<Request, Exchange>;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  readonly timers: Timers;
  /** A connection was ended by us: why, and whether the mistake is ours. */
  readonly onError: (why: string, isOurs: boolean) => void;
}

/** The connections of a server; who listens hands them over. */
export interface Http2Server {
  readonly take: TakeConnection;
  /** Ends every connection once its requests are answered. */
  drain(): void;
  close(): void;
}

/** HTTP/2 (RFC 9113) with prior knowledge, on sockets that are already secured where they are to be. */
export function createHttp2Server<Request, Exchange>(options: Http2ServerOptions<Request, Exchange>): Http2Server {
  const { createApplication, now, timers, onError } = options;
  const shared = { output: new Output(), headReader: new HeadReader(), load: createServerLoad(), now, onError };
  const connections = new Set<Http2Connection<Request, Exchange>>();
  let cancelTick: (() => void) | undefined;

  // One timer for all time-outs, and none where there is no connection.
  function tick(): void {
    const time = now();
    for (const connection of connections) connection.tick(time);
    cancelTick = connections.size === 0 ? undefined : timers.after(tickMs, tick);
  }

  function take(socket: Parameters<TakeConnection>[0]): void {
    const connection = new Http2Connection(socket, { ...shared, application: createApplication() });
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
    cancelTick ??= timers.after(tickMs, tick);
  }

  return {
    take,
    drain() {
      for (const connection of connections) connection.drain();
    },
    close() {
      cancelTick?.();
      for (const connection of connections) connection.destroy();
    },
  };
}
