import { setTimeout as sleep } from 'node:timers/promises';
import { residentMegabytesOf } from './process-figures.ts';
import type { Stand } from './stand.ts';
import { median } from './statistics.ts';

export interface StartFigures {
  /** Of the program as it is shipped, milliseconds. */
  readonly distMs: number;
  /** Of the sources, whose types Node strips as it starts; for information. */
  readonly srcMs: number;
}

const idleMs = 5000;
const starts = { dist: 5, src: 3 } as const;

/** MB of resident memory of `serve` with one policy, idle. */
export async function measureMemory(stand: Stand): Promise<number> {
  const policies = await stand.policyFolder(1, 1);
  const server = await stand.startPortcullis({ name: 'memory', policies });
  try {
    await sleep(idleMs);
    return residentMegabytesOf(server.pid);
  } finally {
    await server.stop();
  }
}

/** Medians of several starts with 100 policies. */
export async function measureStart(stand: Stand): Promise<StartFigures> {
  const policies = await stand.policyFolder(10, 10);
  const startOnce = async (from: 'dist' | 'src'): Promise<number> => {
    const server = await stand.startPortcullis({ name: `start-${from}`, policies, from });
    await server.stop();
    return server.readyAfterMs;
  };
  const medianOf = async (from: 'dist' | 'src'): Promise<number> => {
    const times: number[] = [];
    while (times.length < starts[from]) times.push(await startOnce(from));
    return median(times);
  };
  return { distMs: await medianOf('dist'), srcMs: await medianOf('src') };
}
