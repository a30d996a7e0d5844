import { spawnSync } from 'node:child_process';

/** Which cores the two sides run on; undefined where they cannot be bound to any. */
export interface Cores {
  readonly server: number;
  readonly generator: number;
  /** For a second process of the server; undefined where there are two only. */
  readonly spare: number | undefined;
}

/** The first cores that this process may use. Undefined where there is one only, or no `taskset` (util-linux). */
export function findCores(): Cores | undefined {
  const { stdout } = spawnSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' });
  const list = /list: ([\d,-]+)/.exec(stdout ?? '')?.[1];
  const [server, generator, spare] = list === undefined ? [] : parseCoreList(list);
  return server === undefined || generator === undefined ? undefined : { server, generator, spare };
}

/** `0,2-4` as its numbers. */
export function parseCoreList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_value, index) => first + index);
  });
}

/** Binds every thread of the process to the cores. */
export function bindTo(pid: number, cores: readonly number[]): void {
  spawnSync('taskset', ['-acp', cores.join(','), String(pid)]);
}
