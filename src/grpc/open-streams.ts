import { RpcFailure } from './transport.ts';

interface Ending {
  end(failure: RpcFailure): void;
}

/** The open streams of a server, so that a drain need not wait for clients that watch for ever. */
export interface OpenStreams {
  /** Why none may be opened any more; undefined where one may. */
  refusal(): RpcFailure | undefined;
  add(stream: Ending): void;
  delete(stream: Ending): void;
  /** Ends every one with UNAVAILABLE, and lets none be opened from now on. */
  endAll(): void;
}

export function createOpenStreams(): OpenStreams {
  const open = new Set<Ending>();
  let isDraining = false;
  const shuttingDown = (): RpcFailure => new RpcFailure('UNAVAILABLE', 'The server is shutting down.');
  return {
    refusal: () => (isDraining ? shuttingDown() : undefined),
    add: (stream) => void open.add(stream),
    delete: (stream) => void open.delete(stream),
    endAll() {
      isDraining = true;
      for (const stream of open) stream.end(shuttingDown());
    },
  };
}
