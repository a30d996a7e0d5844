import { fileURLToPath } from 'node:url';
import type { Cluster } from './cluster.ts';
import { waitEstablished } from './wait-established.ts';

const file = fileURLToPath(new URL('../../../deploy/crds.yaml', import.meta.url));

/** Installs our CRDs and waits until the server serves them. */
export async function installCrds(cluster: Cluster): Promise<void> {
  await cluster.kubectl('apply', '--server-side', '--filename', file);
  await waitEstablished(cluster, '--all');
}
