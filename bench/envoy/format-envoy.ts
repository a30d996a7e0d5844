import { formatTable } from '../format-table.ts';
import { settings } from './envoy-settings.ts';
import type { EnvoyFigures, EnvoyRow } from './measure-envoy.ts';

/** The lines of the report, indented. */
export function formatEnvoy({ perSecond, rows }: EnvoyFigures): string[] {
  const head = [
    'setting',
    'requests/s',
    '× own filters',
    'µs CPU Envoy',
    'Portcullis',
    '× by CPU',
    `p50 ms at ${perSecond}/s`,
    'p90 ms',
    'p99 ms',
    '× own filters',
    'wrong',
  ];
  const legend = rows.map(({ name }) => `${name}: ${settings[name]}`);
  return [...formatTable([head, ...rows.map(cellsOf)]), ...legend].map((line) => `  ${line}`);
}

function cellsOf(row: EnvoyRow): readonly string[] {
  return [
    row.name,
    row.requestsPerSecond.toFixed(0),
    row.timesThroughput.toFixed(2),
    row.envoyMicros.toFixed(1),
    row.portcullisMicros.toFixed(1),
    row.timesByCpu.toFixed(2),
    row.p50Ms.toFixed(2),
    row.p90Ms.toFixed(2),
    row.p99Ms.toFixed(2),
    row.timesP99.toFixed(2),
    String(row.unexpected),
  ];
}
