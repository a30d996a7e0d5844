import { rm } from 'node:fs/promises';
import { startPortcullis } from '../../../../src/dev/start-portcullis.ts';
import type { RunningService } from '../../../../src/runtime/service.ts';
import { getText } from '../../support/serve-process.ts';
import { openShop, patience, type Shop } from './shop.ts';

/** How clients come to a service. */
export const ways = ['plain', 'unix', 'tls', 'mutual'] as const;
export type Way = (typeof ways)[number];

/** The shop, served in this process by one service for each way, all on the same transport. */
export interface ServedShop {
  readonly shop: Shop;
  /** `127.0.0.1:PORT`, or the path of the unix socket. */
  addressOf(way: Way): string;
  /** How many checks the service has decided so: `allow ok` or `deny CODE`. */
  decided(way: Way, outcome: string): Promise<number>;
  /** A further service, in cleartext over TCP. */
  start(): Promise<RunningService>;
  close(): Promise<void>;
}

/** The longest message that the services receive, bytes. */
export const maxReceiveBytes = 65_536;

export async function serveShop(transport: string): Promise<ServedShop> {
  const shop = await openShop();
  const socket = shop.pathOf('grpc.sock');
  const started: RunningService[] = [];
  const start = async (more: readonly (readonly [string, string])[] = []): Promise<RunningService> => {
    const flags = [...patience, ['--transport', transport], ['--max-receive-bytes', `${maxReceiveBytes}`], ...more];
    const service = await startPortcullis(
      shop.policies,
      flags.map(([flag = '', value = '']) => [flag, [value]] as const),
    );
    started.push(service);
    return service;
  };
  const flagsOf = {
    plain: [],
    unix: [['--grpc-address', `unix:${socket}`]],
    tls: shop.tlsFlags,
    mutual: shop.mutualFlags,
  } as const satisfies Record<Way, unknown>;
  const services = new Map<Way, RunningService>();
  for (const way of ways) services.set(way, await start(flagsOf[way]));
  return {
    shop,
    addressOf: (way) => (way === 'unix' ? socket : (services.get(way)?.grpcAddress ?? '')),
    async decided(way, outcome) {
      const [decision, code] = outcome.split(' ');
      const { text } = await getText(Number(services.get(way)?.httpAddress?.split(':').at(-1)), '/metrics');
      const series = `portcullis_decisions_total{decision="${decision}",code="${code}"} `;
      return Number(
        text
          .split('\n')
          .find((line) => line.startsWith(series))
          ?.slice(series.length),
      );
    },
    start: () => start(),
    async close() {
      for (const service of started) await service.stop();
      await shop.close();
      await rm(socket, { force: true });
    },
  };
}
