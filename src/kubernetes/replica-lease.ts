import { messageOf } from '../core/failure.ts';
import { isApiFailure } from './api-failure.ts';
import { createComplaint } from './complaint.ts';
import { leasePath, writeLease } from './lease.ts';
import type { ReflectorPorts } from './reflector.ts';
import { repeat } from './repeat.ts';
import type { DigestTexts } from './served-digest.ts';

/** The label of every replica's Lease; its value is the group. */
export const replicaLabel = 'portcullis.dev/replica-of';
export const replicaAnnotations = {
  observed: 'portcullis.dev/observed',
  served: 'portcullis.dev/served',
  exceptions: 'portcullis.dev/exceptions',
} as const;

export interface ReplicaLeaseOptions {
  readonly namespace: string;
  /** Of the Lease of the leader: replicas of one installation share it. */
  readonly group: string;
  /** Of the pod: unique among the replicas. */
  readonly identity: string;
  readonly texts: () => DigestTexts;
  readonly ports: ReflectorPorts;
}

/** Our own Lease: that we live, and what we serve. */
export interface ReplicaLease {
  /** Says soon what `texts` gives now; many calls are one write. */
  publish(): void;
  /** Deletes it; never rejects. */
  close(): Promise<void>;
}

export const renewMs = 10_000;
const retryMs = 1000;
export const leaseSeconds = 30;
/** Changes that come together are told together. */
const gatherMs = 40;

/** Publishes at once, after changes and now and then. Failures are tried again: whoever reads takes us for gone meanwhile, and says so in status. */
export function createReplicaLease(options: ReplicaLeaseOptions): ReplicaLease {
  const { namespace, group, identity, ports } = options;
  const name = replicaLeaseName(group, identity);
  const path = leasePath(namespace, name);
  const complaint = createComplaint(ports.clock, (error) =>
    ports.logger.warn({ lease: `${namespace}/${name}`, error }, 'what this replica serves cannot be published'),
  );
  const repeated = repeat(ports.timers, async () => {
    try {
      await write(options, name);
      complaint.succeeded();
      return renewMs;
    } catch (thrown) {
      complaint.failed(thrown);
      return retryMs;
    }
  });
  return {
    publish: () => repeated.within(gatherMs),
    close: async () => {
      await repeated.close();
      await ports.api.request({ method: 'DELETE', path }).catch((thrown: unknown) => {
        if (isApiFailure(thrown, 'api_not_found')) return;
        ports.logger.info({ error: messageOf(thrown) }, 'the lease of this replica stays until it runs out');
      });
    },
  };
}

async function write({ namespace, group, identity, texts, ports }: ReplicaLeaseOptions, name: string): Promise<void> {
  const { observed, served, exceptions } = texts();
  const body = writeLease({
    namespace,
    name,
    holder: identity,
    durationSeconds: leaseSeconds,
    now: ports.clock.now(),
    labels: { [replicaLabel]: group },
    annotations: {
      [replicaAnnotations.observed]: observed,
      [replicaAnnotations.served]: served,
      [replicaAnnotations.exceptions]: exceptions,
    },
  });
  const query = { fieldManager: 'portcullis', force: 'true' };
  const path = leasePath(namespace, name);
  await ports.api.request({ method: 'PATCH', path, body, contentType: 'application/apply-patch+yaml', query });
}

/** A name that the API server takes, whatever the pod is called. */
function replicaLeaseName(group: string, identity: string): string {
  const plain = identity.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-');
  return `${group}-replica-${plain}`.slice(0, 253).replace(/-+$/, '');
}
