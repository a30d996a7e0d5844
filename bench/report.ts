import { formatCluster } from './cluster/format-cluster.ts';
import type { ClusterFigures } from './cluster/measure-cluster.ts';
import type { Cores } from './cores.ts';
import type { ChangeFigures, ChangeTimes } from './measure-change.ts';
import type { PasswordFigures, RememberedFigures } from './measure-passwords.ts';
import type { StartFigures } from './measure-parts.ts';
import type { RowFigures } from './measure-rows.ts';
import { parts, rows } from './rows.ts';

/** All that was measured; what was not asked for is undefined. */
export interface Report {
  readonly about: {
    readonly date: string;
    readonly node: string;
    readonly processor: string;
    readonly cores: Cores | undefined;
    readonly rounds: number;
    readonly secondsPerRound: number;
    readonly connections: number;
    readonly callsInFlight: number;
  };
  readonly rows: readonly RowFigures[];
  readonly memoryMb: number | undefined;
  readonly start: StartFigures | undefined;
  readonly change: ChangeFigures | undefined;
  readonly passwords: PasswordFigures | undefined;
  readonly cluster: ClusterFigures | undefined;
}

const header = ['row', 'µs CPU/check', '× bare', 'checks/s', 'p50 ms', 'p99 ms', 'core used', 'wrong'] as const;

/** The report for people. */
export function formatReport(report: Report): string {
  const { about } = report;
  const pinned =
    about.cores === undefined
      ? 'NOT PINNED: there is one core only, or no taskset; the server and the load disturb each other'
      : `server on core ${about.cores.server}, load on core ${about.cores.generator}`;
  const lines = [
    `${about.date}, Node ${about.node}, ${about.processor}`,
    pinned,
    `${about.connections} connections × ${about.callsInFlight} calls in flight, medians of ${about.rounds} rounds of ${about.secondsPerRound} s`,
    '',
  ];
  if (report.rows.length > 0)
    lines.push(...formatTable([header, ...report.rows.map(cellsOf)]), '', ...legend(report), '');
  lines.push(...formatParts(report));
  return `${lines.join('\n').trimEnd()}\n`;
}

function cellsOf(row: RowFigures): readonly string[] {
  return [
    row.name,
    row.cpuMicros.toFixed(1),
    row.timesBare.toFixed(2),
    row.checksPerSecond.toFixed(0),
    row.p50Ms.toFixed(2),
    row.p99Ms.toFixed(2),
    `${(row.busy * 100).toFixed(0)} %`,
    String(row.unexpected),
  ];
}

/** The first column to the left, figures to the right. */
function formatTable(table: readonly (readonly string[])[]): string[] {
  const widths = header.map((_name, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  return table.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}

function legend(report: Report): string[] {
  return report.rows.map(({ name, invalid }) =>
    invalid === undefined ? `${name}: ${rows[name]}` : `${name}: INVALID, its figures mean nothing: ${invalid}`,
  );
}

function formatParts({ memoryMb, start, change, passwords, cluster }: Report): string[] {
  const lines: string[] = [];
  if (memoryMb !== undefined) lines.push(`${parts.memory}: ${memoryMb.toFixed(0)} MB`);
  if (start !== undefined) {
    lines.push(`${parts.start}: ${start.distMs.toFixed(0)} ms (from the sources ${start.srcMs.toFixed(0)} ms)`);
  }
  if (change !== undefined) {
    lines.push(`${parts.change}:`);
    lines.push(`  written in place: ${formatTimes(change.inPlace)}`, `  renamed: ${formatTimes(change.renamed)}`);
  }
  if (passwords !== undefined) lines.push(`${parts.passwords}:`, ...formatPasswords(passwords));
  if (cluster !== undefined) lines.push(`${parts.cluster}:`, ...formatCluster(cluster));
  return lines;
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
