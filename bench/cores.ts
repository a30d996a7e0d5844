import { spawnSync } from 'node:child_process';

/** Which cores the two sides run on; undefined where they cannot be bound to any. */
export interface Cores {
  readonly server: number;
  readonly generator: number;
}

/** The first two cores that this process may use. Undefined where there is one only, or no `taskset` (util-linux). */
export function findCores(): Cores | undefined {
  const { stdout } = spawnSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' });
  const list = /list: ([\d,-]+)/.exec(stdout ?? '')?.[1];
  const [server, generator] = list === undefined ? [] : parseCoreList(list);
  return server === undefined || generator === undefined ? undefined : { server, generator };
}

/** `0,2-4` as its numbers. */
export function parseCoreList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_value, index) => first + index);
  });
}

/** Binds every thread of this process to the core. */
export function moveTo(core: number): void {
  spawnSync('taskset', ['-acp', String(core), String(process.pid)]);
}
