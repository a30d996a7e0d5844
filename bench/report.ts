import type { ClusterFigures } from './cluster/measure-cluster.ts';
import type { Cores } from './cores.ts';
import { formatReach, type Reach } from './aim.ts';
import type { EnvoyFigures } from './envoy/measure-envoy.ts';
import { formatParts } from './format-parts.ts';
import { formatTable } from './format-table.ts';
import type { ChangeFigures } from './measure-change.ts';
import type { MemoryFigures } from './measure-memory.ts';
import type { PasswordFigures } from './measure-passwords.ts';
import type { PausesFigures } from './measure-pauses.ts';
import type { RowFigures } from './measure-rows.ts';
import type { StartFigures } from './measure-start.ts';
import type { UpdateFigures } from './measure-updates.ts';
import type { WorkersFigures } from './measure-workers.ts';
import { rows } from './rows.ts';

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
  readonly memory: MemoryFigures | undefined;
  readonly start: StartFigures | undefined;
  readonly change: ChangeFigures | undefined;
  readonly updates: UpdateFigures | undefined;
  readonly pauses: PausesFigures | undefined;
  readonly workers: WorkersFigures | undefined;
  readonly passwords: PasswordFigures | undefined;
  readonly envoy: EnvoyFigures | undefined;
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
    lines.push(...formatTable([header, ...report.rows.map(cellsOf)]), '', ...legend(report), '', ...tellIdle(report));
  lines.push(...formatParts(report));
  const reach = reachOf(report);
  if (reach.length > 0) lines.push(...(lines.at(-1) === '' ? [] : ['']), 'aims:', ...formatReach(reach));
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

/** Every figure that has an aim, in the order of the report. */
export function reachOf({ rows: all, memory, start, updates, pauses, workers, envoy }: Report): readonly Reach[] {
  const ofRows = all.flatMap(({ reach }) => reach ?? []);
  return [...ofRows, ...[memory, start, updates, pauses, workers, envoy].flatMap((part) => part?.reach ?? [])];
}

/** Below this part of its core the server did not decide how many checks there were. */
const leastBusy = 0.8;

/** A line for each row whose figures by the clock are not the server's; with an empty line behind them. */
function tellIdle({ rows: all }: Report): string[] {
  const lines = all
    .filter(({ busy }) => busy < leastBusy)
    .map(
      ({ name, busy }) =>
        `${name}: the server had its core for only ${(busy * 100).toFixed(0)} %: figures of a busy machine, or of a load that could go no faster`,
    );
  return lines.length === 0 ? [] : [...lines, ''];
}

function legend(report: Report): string[] {
  return report.rows.map(({ name, invalid }) =>
    invalid === undefined ? `${name}: ${rows[name]}` : `${name}: INVALID, its figures mean nothing: ${invalid}`,
  );
}
