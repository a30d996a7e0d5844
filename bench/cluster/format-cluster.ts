import type { BurstFigures } from './measure-burst.ts';
import type { ClusterFigures, LoadFigures } from './measure-cluster.ts';
import type { EnforcementFigures } from './measure-enforcement.ts';
import type { StopFigures } from './probe-log.ts';

/** The lines of the report, indented. */
export function formatCluster({ enforcement, burst, quiet, loads, bytesPerPolicy }: ClusterFigures): string[] {
  const writes = Object.entries(quiet.writes).map(([what, count]) => `${count} ${what}`);
  const { liveHeap, resident } = bytesPerPolicy;
  return [
    ...formatEnforcement(enforcement),
    ...formatBurst(burst),
    `${quiet.seconds} s of quiet, ${quiet.policies} policies: ${writes.length === 0 ? 'nothing' : writes.join(', ')} written, Leases aside`,
    ...loads.flatMap(formatLoad),
    `a policy more: ${kilobytes(liveHeap)} of live heap, ${kilobytes(resident)} of resident memory`,
  ].map((line) => `  ${line}`);
}

function formatEnforcement({ policies, changes, atOnce, stops, ...at }: EnforcementFigures): string[] {
  const figures = `p50 ${at.p50Ms.toFixed(1)}, p90 ${at.p90Ms.toFixed(1)}, p99 ${at.p99Ms.toFixed(1)}, max ${at.maxMs.toFixed(1)} ms`;
  return [
    `from the API server's answer to enforcement, ${policies} policies: ${figures} (${changes} changes, ${atOnce} of them at the first check)`,
    `  a check while nothing changes: p50 ${at.checkP50Ms.toFixed(1)} ms`,
    `  until a watch with nothing behind it brings the change: p50 ${at.watchP50Ms.toFixed(1)} ms`,
    `  meanwhile: ${formatStops(stops)}`,
  ];
}

function formatBurst({ updates, writtenMs, enforcedMs, stops, checkP99Ms, checkMaxMs }: BurstFigures): string[] {
  return [
    `${updates} updates, written in ${seconds(writtenMs)}, enforced ${enforcedMs.toFixed(0)} ms later: ${formatStops(stops)}`,
    `  a check a millisecond meanwhile, on the load's core: p99 ${checkP99Ms.toFixed(1)}, max ${checkMaxMs.toFixed(1)} ms`,
  ];
}

function formatLoad(load: LoadFigures): string[] {
  return [
    `${load.policies} policies: ready after ${seconds(load.readyMs)} (without statuses after ${seconds(load.firstReadyMs)}, all written ${seconds(load.statusMs)} later)`,
    `  idle: ${load.residentMb.toFixed(0)} MB resident (${load.residentSmallMb.toFixed(0)} MB with --max-semi-space-size=4), ${load.liveHeapMb.toFixed(1)} MB live heap`,
    `  from when it listens: ${formatStops(load.stopsOfStart)}; while statuses are written: ${formatStops(load.stopsOfStatuses)}`,
  ];
}

function formatStops({ longestMs, longestCpuMs, above20Ms }: StopFigures): string {
  return `longest stop of the event loop ${longestCpuMs.toFixed(1)} ms of its own CPU time (${longestMs.toFixed(1)} ms by the clock), ${above20Ms} above 20 ms`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
