import { invalidAddress, listenFailure } from '../../grpc/listen-failure.ts';
import { listenForOthers, type TakeConnection } from '../../std/listen.ts';
import { formatSocketAddress, parseSocketAddress } from '../../std/socket-address.ts';

/** Where connections arrive that workers take. */
export interface ConnectionPort {
  /** As Transport.listen. */
  listen(address: string): Promise<string>;
  /** Accepts nothing new. */
  close(): Promise<void>;
}

const unixSocketMode = 0o660;

/** Hands every connection over as it comes, unread. */
export function createConnectionPort(take: TakeConnection): ConnectionPort {
  const listeners: { close(): Promise<void> }[] = [];
  return {
    listen: async (text) => {
      const address = parseSocketAddress(text);
      if (address === undefined) throw invalidAddress(text);
      try {
        const listener = await listenForOthers(address, unixSocketMode, take);
        listeners.push(listener);
        return formatSocketAddress(listener.address);
      } catch (cause) {
        throw listenFailure(text, cause);
      }
    },
    close: async () => {
      for (const listener of listeners.splice(0)) await listener.close();
    },
  };
}
