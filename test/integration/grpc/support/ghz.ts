import { runCommand } from '../../../../src/dev/run-command.ts';
import { checkMethod } from './grpcurl.ts';
import type { Way } from './served-shop.ts';
import type { Shop } from './shop.ts';

export interface GhzLoad {
  /** Sent one after the other, again and again. */
  readonly messages: readonly object[];
  readonly calls: number;
  readonly flags?: readonly string[];
}

const timeoutMs = 60_000;

/** Sends checks with ghz, a client on grpc-go: 50 at once on four connections. Answers how many ended with which gRPC status. */
export async function loadByGhz(
  ghz: string,
  secured: readonly string[],
  target: string,
  { messages, calls, flags = [] }: GhzLoad,
): Promise<Readonly<Record<string, number>>> {
  const protos = ['--import-paths', 'proto', '--proto', 'proto/envoy/service/auth/v3/external_auth.proto'];
  const load = ['--total', `${calls}`, '--concurrency', '50', '--connections', '4'];
  const args = [...secured, ...protos, '--call', checkMethod, '--data', JSON.stringify(messages), ...load, ...flags];
  const { output } = await runCommand(ghz, [...args, '--format', 'json', target], { timeoutMs });
  const report: unknown = output.startsWith('{') ? JSON.parse(output) : output;
  if (typeof report === 'object' && report !== null && 'statusCodeDistribution' in report)
    return report.statusCodeDistribution as Readonly<Record<string, number>>;
  throw new Error(`ghz says: ${output}`);
}

/** How ghz speaks to a service of the shop. */
export function ghzFlags(way: Way, shop: Shop): readonly string[] {
  const trusting = ['--cacert', shop.pathOf('server-ca.crt')];
  switch (way) {
    case 'plain':
    case 'unix':
      return ['--insecure'];
    case 'tls':
      return trusting;
    case 'mutual':
      return [...trusting, '--cert', shop.pathOf('client.crt'), '--key', shop.pathOf('client.key')];
  }
}
