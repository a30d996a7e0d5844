import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A way to the API server on which the network can be made to fail. */
export interface FaultyPath {
  readonly port: number;
  /** Ends every connection at once and refuses new ones. */
  cut(): void;
  /** Keeps every connection open and lets nothing through, in neither direction; new ones are accepted and hear nothing. */
  swallow(): void;
  /** Lets everything through again; what was swallowed stays lost. */
  heal(): void;
  /** How many connections were made so far. */
  connections(): number;
  close(): Promise<void>;
}

type Mode = 'open' | 'cut' | 'swallow';

/** Forwards bytes to the port on loopback. */
export async function openFaultyPath(target: number): Promise<FaultyPath> {
  let mode: Mode = 'open';
  let count = 0;
  const pairs = new Set<readonly [Socket, Socket]>();
  const server: Server = createServer((near) => {
    if (mode === 'cut') {
      near.resetAndDestroy();
      return;
    }
    count++;
    const far = connect(target, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    const forward = (from: Socket, to: Socket): void => {
      from.on('data', (chunk) => {
        if (mode === 'open') to.write(chunk);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        // A connection that is swallowed hears nothing of its end either.
        if (mode !== 'swallow') to.destroy();
        pairs.delete(pair);
      });
    };
    forward(near, far);
    forward(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const destroyAll = (): void => {
    for (const [near, far] of pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  };
  return {
    port,
    cut: () => {
      mode = 'cut';
      destroyAll();
    },
    swallow: () => {
      mode = 'swallow';
    },
    heal: () => {
      mode = 'open';
    },
    connections: () => count,
    close: () => {
      destroyAll();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
