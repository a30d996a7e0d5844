import { adoptConnections, listenOn, type Listener, type TakeConnection } from '../std/listen.ts';
import { formatSocketAddress, parseSocketAddress } from '../std/socket-address.ts';
import { invalidAddress, listenFailure } from './listen-failure.ts';

/** Where a transport listens. */
export interface Listeners {
  /** As Transport.listen. */
  listen(address: string): Promise<string>;
  /** As Transport.take. */
  readonly take: TakeConnection;
  /** Accepts nothing new, at once; resolves when the last connection has ended too. */
  close(): Promise<unknown>;
  /** Cuts off every connection. */
  destroyConnections(): void;
}

export function createListeners(unixSocketMode: number | undefined, onConnection: TakeConnection): Listeners {
  const adopted = adoptConnections(onConnection);
  const listeners: Listener[] = [];
  return {
    take: adopted.take,
    async listen(text) {
      const address = parseSocketAddress(text);
      if (address === undefined) throw invalidAddress(text);
      try {
        const listener = await listenOn(address, unixSocketMode ?? 0o660, onConnection);
        listeners.push(listener);
        return formatSocketAddress(listener.address);
      } catch (cause) {
        throw listenFailure(text, cause);
      }
    },
    close: () => Promise.all([adopted.ended(), ...listeners.map((listener) => listener.close())]),
    destroyConnections() {
      adopted.destroyConnections();
      for (const listener of listeners) listener.destroyConnections();
    },
  };
}
