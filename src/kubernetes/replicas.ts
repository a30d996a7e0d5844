import type { Collection } from './collection.ts';
import { documentBounds } from './object-bounds.ts';
import { leasePath, readLease, type Lease } from './lease.ts';
import { createReflector, type ReflectorPorts } from './reflector.ts';
import { replicaAnnotations, replicaLabel } from './replica-lease.ts';
import type { DigestTexts } from './served-digest.ts';

/** What another replica says. */
export interface Replica extends DigestTexts {
  readonly identity: string;
}

export interface Replicas {
  /** Those that live, by their identity; our own among them once it is written. */
  all(): readonly Replica[];
  close(): void;
}

/** How often it is looked who died. */
export const sweepMs = 5000;

/** Follows the Leases of all replicas, and deletes those that ran out long ago where `mayDelete` says so. */
export function createReplicas(options: {
  readonly namespace: string;
  readonly group: string;
  readonly ports: ReflectorPorts;
  readonly onChange: () => void;
  readonly mayDelete: () => boolean;
}): Replicas {
  const { namespace, group, ports, onChange } = options;
  const seen = new Map<string, { readonly lease: Lease; readonly at: number }>();
  const isLive = ({ lease, at }: { readonly lease: Lease; readonly at: number }): boolean =>
    ports.clock.monotonic() - at <= lease.durationMs;
  let live = '';
  const look = (): void => {
    const now = [...seen.values()]
      .filter(isLive)
      .map(({ lease }) => `${lease.holder} ${Object.values(lease.annotations).join(' ')}`)
      .sort()
      .join('\n');
    if (now !== live) onChange();
    live = now;
  };
  const sweep = (): void => {
    for (const [name, entry] of seen) {
      if (isLive(entry) || !options.mayDelete()) continue;
      // One that is renewed meanwhile stays; where it cannot be deleted now, it is tried again.
      const body = { preconditions: { resourceVersion: entry.lease.resourceVersion } };
      void ports.api.request({ method: 'DELETE', path: leasePath(namespace, name), body }).catch(() => undefined);
    }
    look();
    cancel = ports.timers.after(sweepMs, sweep);
  };
  let cancel = ports.timers.after(sweepMs, sweep);
  const reflector = createReflector({
    collection: leasesOf(namespace, group),
    convert: (object) => readLease(object),
    onChange: ({ removed, changed }) => {
      for (const { name } of removed) seen.delete(name);
      for (const lease of changed) seen.set(lease.name, { lease, at: ports.clock.monotonic() });
      look();
    },
    ports,
  });
  return {
    all: () => [...seen.values()].filter(isLive).map(({ lease }) => toReplica(lease)),
    close: () => {
      cancel();
      reflector.close();
    },
  };
}

function toReplica({ holder, annotations }: Lease): Replica {
  return {
    identity: holder,
    observed: annotations[replicaAnnotations.observed] ?? '',
    served: annotations[replicaAnnotations.served] ?? '',
    exceptions: annotations[replicaAnnotations.exceptions] ?? '{}',
  };
}

function leasesOf(namespace: string, group: string): Collection {
  return {
    name: `the leases of the replicas of ${group}`,
    kind: 'Lease',
    apiVersion: 'coordination.k8s.io/v1',
    resource: 'leases',
    group: 'coordination.k8s.io',
    namespace,
    path: leasePath(namespace),
    query: { labelSelector: `${replicaLabel}=${group}` },
    bounds: documentBounds,
  };
}
