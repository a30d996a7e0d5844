import { formatCluster } from './cluster/format-cluster.ts';
import { formatEnvoy } from './envoy/format-envoy.ts';
import type { ChangeTimes } from './measure-change.ts';
import type { MemoryFigures } from './measure-memory.ts';
import type { PasswordFigures, RememberedFigures } from './measure-passwords.ts';
import type { PausesFigures } from './measure-pauses.ts';
import type { StartFigures } from './measure-start.ts';
import type { UpdateFigures, UpdateStops } from './measure-updates.ts';
import type { WorkersFigures, WorkersSide } from './measure-workers.ts';
import type { Report } from './report.ts';
import { parts } from './rows.ts';

/** The lines of everything that is no row. */
export function formatParts(report: Report): string[] {
  const { memory, start, change, updates, pauses, workers, passwords, envoy, cluster } = report;
  const lines: string[] = [];
  if (memory !== undefined) lines.push(`${parts.memory}:`, ...formatMemory(memory));
  if (start !== undefined) lines.push(`${parts.start}:`, ...formatStart(start));
  if (change !== undefined) {
    lines.push(`${parts.change}:`);
    lines.push(`  written in place: ${formatTimes(change.inPlace)}`, `  renamed: ${formatTimes(change.renamed)}`);
  }
  if (updates !== undefined) lines.push(...formatUpdates(updates));
  if (pauses !== undefined) lines.push(`${parts.pauses}:`, ...formatPauses(pauses));
  if (workers !== undefined) lines.push(`${parts.workers}:`, ...formatWorkers(workers));
  if (passwords !== undefined) lines.push(`${parts.passwords}:`, ...formatPasswords(passwords));
  if (envoy !== undefined) lines.push(`${parts.envoy}:`, ...formatEnvoy(envoy));
  if (cluster !== undefined) lines.push(`${parts.cluster}:`, ...formatCluster(cluster));
  return lines;
}

function formatMemory({ bundleMb, distMb, afterTokensMb, tokens }: MemoryFigures): string[] {
  return [
    `  idle: ${bundleMb.toFixed(0)} MB as a bundle, ${distMb.toFixed(0)} MB from dist`,
    `  the bundle after ${tokens} different tokens: ${afterTokensMb.toFixed(0)} MB`,
  ];
}

function formatStart({ bundleMs, distMs, srcMs }: StartFigures): string[] {
  return [
    `  ${bundleMs.toFixed(0)} ms as a bundle, ${distMs.toFixed(0)} ms from dist, ${srcMs.toFixed(0)} ms from the sources`,
  ];
}

function formatUpdates({ policies, inTurn, atOnce }: UpdateFigures): string[] {
  const lineOf = (how: string, { seconds, delay, stops }: UpdateStops): string =>
    `  ${policies} policies ${how}, ${seconds.toFixed(1)} s: event loop p50 ${delay.p50Ms.toFixed(1)}, p99 ${delay.p99Ms.toFixed(1)}, max ${delay.maxMs.toFixed(1)} ms; longest stop by its own work ${stops.longestCpuMs.toFixed(1)} ms`;
  return [lineOf('written in turn', inTurn), lineOf('written at once', atOnce)];
}

function formatPauses({ rows, seconds }: PausesFigures): string[] {
  return rows.map(
    ({ name, checksPerSecond, pauses, p99Ms, longestMs, above10Ms }) =>
      `  ${name}, ${seconds} s at ${checksPerSecond.toFixed(0)} checks/s: ${pauses} pauses, p99 ${p99Ms.toFixed(1)}, longest ${longestMs.toFixed(1)} ms, ${above10Ms} above 10 ms`,
  );
}

function formatWorkers({ one, two, timesByCpu, timesByClock, hasCoreForLoad }: WorkersFigures): string[] {
  const lineOf = (name: string, side: WorkersSide): string =>
    `  ${name}: ${side.cpuMicros.toFixed(1)} µs of CPU a check; by the clock ${side.checksPerSecond.toFixed(0)} checks/s with ${side.coresUsed.toFixed(2)} cores, the load ${side.loadCoresUsed.toFixed(2)}`;
  const shared = hasCoreForLoad ? 'the load on a third core' : 'the load on the same two cores';
  return [
    lineOf('one process', one),
    lineOf('two workers and who watches', two),
    `  two beside one: ${timesByCpu.toFixed(2)} by CPU time (what two cores would give that nobody else uses), ${timesByClock.toFixed(2)} by the clock (${shared})`,
  ];
}

function formatPasswords({ quiet, computing, flooded, stops, results, seconds }: PasswordFigures): string[] {
  const told = Object.entries(results).map(([result, count]) => `${count} ${result}`);
  return [
    `  remembered, alone: ${formatRemembered(quiet)}`,
    `  the loop while hashes are computed: stopped at most ${computing.longestCpuMs.toFixed(1)} ms by its own work, ${computing.longestMs.toFixed(1)} ms by the clock`,
    `  remembered, beside the flood: ${formatRemembered(flooded)}`,
    `  the loop beside the flood: stopped at most ${stops.longestCpuMs.toFixed(1)} ms by its own work, ${stops.longestMs.toFixed(1)} ms by the clock`,
    `  passwords, ${seconds} s of flood among them: ${told.join(', ')}`,
  ];
}

function formatRemembered({ checks, notAllowed, p50Ms, p99Ms }: RememberedFigures): string {
  return `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, ${notAllowed} of ${checks} not allowed`;
}

function formatTimes({ changes, medianMs, maxMs }: ChangeTimes): string {
  return `median ${medianMs.toFixed(0)} ms, at most ${maxMs.toFixed(0)} ms (${changes} changes)`;
}
