import { eventually } from '../eventually.ts';
import type { Cluster } from './cluster.ts';

/** Waits until the API server serves these definitions (`crd/NAME`, `--all`, `--filename FILE`). */
export async function waitEstablished(cluster: Cluster, ...which: readonly string[]): Promise<void> {
  const target = which[0] === '--all' ? ['crd', '--all'] : which;
  // kubectl fails at once where a definition is so young that it has no conditions yet.
  await eventually(() => cluster.kubectl('wait', '--for=condition=Established', '--timeout=30s', ...target));
}
