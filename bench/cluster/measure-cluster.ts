import { setTimeout as sleep } from 'node:timers/promises';
import { residentMegabytesOf } from '../process-figures.ts';
import type { Stand } from '../stand.ts';
import type { Writes } from './api-writes.ts';
import { createClusterStand, type ClusterStand } from './cluster-stand.ts';
import { measureBurst, type BurstFigures } from './measure-burst.ts';
import { measureEnforcement, type EnforcementFigures } from './measure-enforcement.ts';
import { createProbeLog, type StopFigures } from './probe-log.ts';

export interface ClusterFigures {
  readonly enforcement: EnforcementFigures;
  readonly burst: BurstFigures;
  readonly quiet: { readonly seconds: number; readonly policies: number; readonly writes: Writes };
  /** By the number of policies. */
  readonly loads: readonly LoadFigures[];
  /** What a policy adds, bytes, from the smallest to the largest load. */
  readonly bytesPerPolicy: { readonly liveHeap: number; readonly resident: number };
}

export interface LoadFigures {
  readonly policies: number;
  /** From the start of the process until it is ready, milliseconds, where no object has a status yet, and where all have. */
  readonly firstReadyMs: number;
  readonly readyMs: number;
  /** From ready until all statuses were written, milliseconds. */
  readonly statusMs: number;
  /** After some seconds of idling. */
  readonly residentMb: number;
  /** The same with a young generation of V8 that is kept small (`--max-semi-space-size=4`). */
  readonly residentSmallMb: number;
  /** After a collection. */
  readonly liveHeapMb: number;
  /** From when it listened, before it was ready, with statuses in place; and while it wrote them. */
  readonly stopsOfStart: StopFigures;
  readonly stopsOfStatuses: StopFigures;
}

type Tell = (line: string) => void;

const sizes = { small: 100, usual: 1000, large: 10_000 } as const;
const quietSeconds = 20;
const idleMs = 15_000;

/** `serve` before a real API server: the same policies as in the folder of the other rows, ten a host. */
export async function measureCluster(stand: Stand, tell: Tell): Promise<ClusterFigures> {
  const cluster = await createClusterStand(stand);
  try {
    await cluster.createPolicies(0, sizes.small);
    const small = await measureLoad(cluster, sizes.small, tell);
    await cluster.createPolicies(sizes.small, sizes.usual);
    const usual = await measureUsual(cluster, tell);
    tell(`creating ${sizes.large} policies`);
    await cluster.createPolicies(sizes.usual, sizes.large);
    const large = await measureLoad(cluster, sizes.large, tell);
    const per = (bytes: (load: LoadFigures) => number): number =>
      (bytes(large) - bytes(small)) / (sizes.large - sizes.small);
    return {
      ...usual,
      loads: [small, large],
      bytesPerPolicy: {
        liveHeap: per(({ liveHeapMb }) => liveHeapMb * 1_000_000),
        resident: per(({ residentMb }) => residentMb * 1_000_000),
      },
    };
  } finally {
    await cluster.close();
  }
}

async function measureUsual(
  cluster: ClusterStand,
  tell: Tell,
): Promise<Pick<ClusterFigures, 'enforcement' | 'burst' | 'quiet'>> {
  const probe = createProbeLog(cluster.stand.workFolder, 'cluster-usual');
  const server = await cluster.startServe('cluster-usual', probe.nodeFlags);
  try {
    await cluster.untilQuiet();
    tell(`counting writes for ${quietSeconds} s`);
    const writes = await cluster.writesWithin(quietSeconds * 1000);
    tell('changing policies one by one');
    const enforcement = await measureEnforcement(cluster, server, probe, sizes.usual);
    await cluster.untilQuiet();
    tell('changing all of them at once');
    const burst = await measureBurst(cluster, server, probe, sizes.usual);
    return { enforcement, burst, quiet: { seconds: quietSeconds, policies: sizes.usual, writes } };
  } finally {
    await server.stop();
  }
}

async function measureLoad(cluster: ClusterStand, policies: number, tell: Tell): Promise<LoadFigures> {
  const [first, again] = [`cluster-${policies}-first`, `cluster-${policies}`];
  const firstProbe = createProbeLog(cluster.stand.workFolder, first);
  tell(`starting with ${policies} policies, of which nobody has written a status yet`);
  const writer = await cluster.startServe(first, firstProbe.nodeFlags);
  const readyAt = Date.now();
  const statusMs = await cluster.untilQuiet();
  const stopsOfStatuses = await firstProbe.stopsSince(readyAt);
  await writer.stop();
  tell(`starting with ${policies} policies again`);
  const small = await cluster.startServe(`${again}-small`, ['--max-semi-space-size=4']);
  await sleep(idleMs);
  const residentSmallMb = residentMegabytesOf(small.pid);
  await small.stop();
  const probe = createProbeLog(cluster.stand.workFolder, again);
  const server = await cluster.startServe(again, probe.nodeFlags);
  try {
    await sleep(idleMs);
    return {
      policies,
      firstReadyMs: writer.readyAfterMs,
      readyMs: server.readyAfterMs,
      statusMs,
      residentMb: residentMegabytesOf(server.pid),
      residentSmallMb,
      stopsOfStart: await probe.stopsSince(server.listeningAt),
      liveHeapMb: (await probe.liveHeap(server.pid)) / 1_000_000,
      stopsOfStatuses,
    };
  } finally {
    await server.stop();
  }
}
