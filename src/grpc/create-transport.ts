import type { TakeConnection } from '../std/listen.ts';
import { createListeners } from './listeners.ts';
import type { Transport, TransportOptions } from './transport.ts';

/** What answers the calls of connections, whichever way. */
export interface CallServer {
  /** A connection, secured where it has to be. */
  readonly take: TakeConnection;
  /** Ends the streams that a method holds open. */
  endStreams(): void;
  /** Tells every connection that it is to end, and answers what is under way. */
  drain(): void;
  /** Cuts off whatever there is. */
  close(): void;
}

/** The life of a transport around what answers its calls. What a drain waits for is the end of the connections. */
export function createTransport(server: CallServer, { timers, secure, unixSocketMode }: TransportOptions): Transport {
  let isStopping = false;
  const take: TakeConnection = (socket) => {
    // A handshake may end after the drain has begun: nobody would end that connection.
    if (isStopping) socket.destroy();
    else server.take(socket);
  };
  const listeners = createListeners(unixSocketMode, secure?.(take) ?? take);

  function cutOff(): void {
    server.close();
    listeners.destroyConnections();
  }

  async function close(): Promise<void> {
    isStopping = true;
    const closed = listeners.close();
    server.endStreams();
    cutOff();
    await closed;
  }

  async function drain(timeoutMs: number): Promise<'drained' | 'forced'> {
    let end: 'drained' | 'forced' = 'drained';
    isStopping = true;
    const closed = listeners.close();
    server.endStreams();
    server.drain();
    const cancelTimer = timers.after(timeoutMs, () => {
      end = 'forced';
      cutOff();
    });
    await closed;
    cancelTimer();
    return end;
  }

  return { listen: (address) => listeners.listen(address), take: listeners.take, drain, close };
}
