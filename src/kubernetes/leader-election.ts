import type { Clock } from '../core/ports.ts';
import { isApiFailure } from './api-failure.ts';
import { createComplaint } from './complaint.ts';
import { leasePath, readLease, writeLease, type Lease } from './lease.ts';
import type { ReflectorPorts } from './reflector.ts';
import { repeat } from './repeat.ts';

export interface LeaderElectionOptions {
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** Who we are: unique among the replicas. */
  readonly identity: string;
  readonly ports: ReflectorPorts;
  /** Called when we begin to lead and when we end. */
  readonly onChange: (leads: boolean) => void;
  readonly timing?: Partial<ElectionTiming>;
}

/** Milliseconds. The defaults are those of Kubernetes' own controllers. */
export interface ElectionTiming {
  /** How long others wait after they last saw it renewed before they take it. */
  readonly leaseMs: number;
  /** How long the holder goes on without having renewed it; shorter than the lease, so that there are never two. */
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

export const electionTiming: ElectionTiming = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000 };

export interface LeaderElection {
  leads(): boolean;
  /** Gives the Lease back, so that another takes it at once; never rejects. */
  close(): Promise<void>;
}

/**
 * Holds a Lease, or waits for it. Others' clocks are not trusted: a Lease has run out when it was not seen to be renewed for its whole
 * duration on our own clock. Failures only delay: nothing that serves requests depends on who leads.
 */
export function createLeaderElection(options: LeaderElectionOptions): LeaderElection {
  const { namespace, name, identity, ports, onChange } = options;
  const timing: ElectionTiming = { ...electionTiming, ...options.timing };
  const { clock, logger } = ports;
  const lease = `${namespace}/${name}`;
  const mayTake = createLeaseWatch(identity, clock);
  const complaint = createComplaint(clock, (error) =>
    logger.warn({ lease, error }, 'the lease of the leader cannot be held'),
  );
  let renewedAt = 0;
  let isLeading = false;
  let closed = false;

  const isFresh = (): boolean => clock.monotonic() - renewedAt <= timing.renewDeadlineMs;
  const setLeading = (leads: boolean): void => {
    if (leads === isLeading) return;
    isLeading = leads;
    logger.info({ lease, identity }, leads ? 'leading: this replica writes status' : 'no longer leading');
    onChange(leads);
  };
  const tryOnce = async (): Promise<void> => {
    const startedAt = clock.monotonic();
    const before = await read(options);
    if (closed) return;
    if (before !== undefined && !mayTake(before)) {
      complaint.succeeded();
      return setLeading(false);
    }
    await hold(options, before, timing);
    // Who was late led nobody meanwhile and wrote nothing: it begins to lead anew.
    if (!isFresh()) setLeading(false);
    renewedAt = startedAt;
    complaint.succeeded();
    if (!closed) setLeading(isFresh());
  };
  const repeated = repeat(ports.timers, async () => {
    try {
      await tryOnce();
    } catch (thrown) {
      // Another was faster: that is what the version is for.
      if (!isApiFailure(thrown, 'api_conflict')) complaint.failed(thrown);
      if (!isFresh()) setLeading(false);
    }
    return timing.retryMs * (1 + ports.random.fraction() / 5);
  });
  return {
    leads: () => isLeading && isFresh(),
    close: async () => {
      closed = true;
      await repeated.close();
      if (!isLeading) return;
      setLeading(false);
      await giveBack(options).catch(() => undefined);
    },
  };
}

/** Judges whether a Lease may be taken: it is ours, nobody's, or was not renewed before our eyes for as long as it lasts. */
function createLeaseWatch(identity: string, clock: Clock): (lease: Lease) => boolean {
  let seen: { readonly renewTime: string; readonly holder: string; readonly at: number } | undefined;
  return ({ holder, renewTime, durationMs }) => {
    if (holder === identity || holder === '') return true;
    if (seen?.renewTime !== renewTime || seen.holder !== holder) seen = { renewTime, holder, at: clock.monotonic() };
    return clock.monotonic() - seen.at > Math.max(durationMs, 1000);
  };
}

async function hold(
  { namespace, name, identity, ports }: LeaderElectionOptions,
  before: Lease | undefined,
  { leaseMs }: ElectionTiming,
): Promise<void> {
  const content = {
    namespace,
    name,
    holder: identity,
    durationSeconds: Math.round(leaseMs / 1000),
    now: ports.clock.now(),
  };
  if (before === undefined) {
    await ports.api.request({ method: 'POST', path: leasePath(namespace), body: writeLease(content) });
    return;
  }
  const { resourceVersion, transitions, acquireTime } = before;
  const taken = before.holder === identity ? { transitions, acquireTime } : { transitions: transitions + 1 };
  const body = writeLease({ ...content, ...taken, resourceVersion });
  await ports.api.request({ method: 'PUT', path: leasePath(namespace, name), body });
}

async function read({ namespace, name, ports }: LeaderElectionOptions): Promise<Lease | undefined> {
  try {
    return readLease(await ports.api.request({ method: 'GET', path: leasePath(namespace, name) }));
  } catch (thrown) {
    if (isApiFailure(thrown, 'api_not_found')) return undefined;
    throw thrown;
  }
}

async function giveBack(options: LeaderElectionOptions): Promise<void> {
  const { namespace, name, identity, ports } = options;
  const lease = await read(options);
  if (lease?.holder !== identity) return;
  const { resourceVersion, transitions, acquireTime } = lease;
  const body = writeLease({
    namespace,
    name,
    holder: '',
    durationSeconds: 1,
    now: ports.clock.now(),
    resourceVersion,
    transitions,
    acquireTime,
  });
  await ports.api.request({ method: 'PUT', path: leasePath(namespace, name), body });
}
