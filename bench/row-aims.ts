import { atMost, type Bound } from './aim.ts';
import type { RowName } from './rows.ts';

/** What a row should reach beside another of the same run. */
export interface RowAim {
  readonly figure: 'cpuMicros' | 'checksPerSecond';
  readonly than: RowName;
  readonly bound: Bound;
}

const cpuOfBare = (times: number): RowAim => ({ figure: 'cpuMicros', than: 'bare-http2', bound: atMost(times) });

export const rowAims: ReadonlyMap<RowName, RowAim> = new Map([
  ['repeated-native', cpuOfBare(0.35)],
  ['repeated-native-tls', cpuOfBare(0.6)],
  ['new-native', cpuOfBare(1.5)],
  ['new-es256-native', cpuOfBare(3.5)],
  ['many-policies-native', { figure: 'cpuMicros', than: 'ten-policies-native', bound: atMost(1.1) }],
]);

/** The rows, and those that they are compared with. */
export function withCompared(names: readonly RowName[]): ReadonlySet<RowName> {
  const compared = names.flatMap((name) => rowAims.get(name)?.than ?? []);
  return new Set(names.length === 0 ? [] : ['bare-http2', ...names, ...compared]);
}
