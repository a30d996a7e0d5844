import { exchange } from '../../../../src/dev/http-exchange.ts';
import type { RunningEnvoy } from '../../../../src/dev/envoy-process.ts';

/** What Envoy says of the endpoint of Portcullis at the address: `rq_active`, `cx_active`, `health_flags`, … */
export async function endpointFact(envoy: RunningEnvoy, address: string, fact: string): Promise<string | undefined> {
  return lineOf(await page(envoy, '/clusters'), `portcullis::${address}::${fact}::`);
}

/** A counter or gauge of the cluster of Portcullis, such as `upstream_rq_rx_reset`. */
export async function clusterStat(envoy: RunningEnvoy, name: string): Promise<number> {
  return Number(lineOf(await page(envoy, '/stats'), `cluster.portcullis.${name}: `));
}

async function page(envoy: RunningEnvoy, path: string): Promise<string> {
  return (await exchange(envoy.adminPort, { method: 'GET', path, headers: { host: 'admin' } })).body;
}

function lineOf(text: string, start: string): string | undefined {
  return text
    .split('\n')
    .find((line) => line.startsWith(start))
    ?.slice(start.length);
}
