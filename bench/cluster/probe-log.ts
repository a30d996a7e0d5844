import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What `loop-probe.ts` writes down of a process. */
export interface ProbeLog {
  /** Options of Node that load the probe. */
  readonly nodeFlags: readonly string[];
  /** Where the event loop stood still since then (milliseconds since the epoch). */
  stopsSince(since: number): Promise<StopFigures>;
  /** Bytes that live on the heap after a collection. */
  liveHeap(pid: number): Promise<number>;
}

export interface StopFigures {
  /** The longest by the clock on the wall, milliseconds, whoever had the core meanwhile. */
  readonly longestMs: number;
  /** The most CPU time that the main thread itself used in one stop, milliseconds. */
  readonly longestCpuMs: number;
  /** Stops of more than 20 ms of CPU time of the main thread. */
  readonly above20Ms: number;
}

const program = new URL('loop-probe.ts', import.meta.url);
/** The probe writes every quarter of a second. */
const flushMs = 600;

export function createProbeLog(workFolder: string, name: string): ProbeLog {
  const file = join(workFolder, `${name}.probe.jsonl`);
  const url = new URL(program);
  url.searchParams.set('log', file);
  return {
    nodeFlags: [`--import=${url.href}`],
    stopsSince: async (since) => {
      await sleep(flushMs);
      const stops = readLines(file).filter(({ at }) => (at ?? 0) >= since);
      const cpu = stops.map(({ cpuMs }) => cpuMs ?? 0);
      return {
        longestMs: Math.max(0, ...stops.map(({ wallMs }) => wallMs ?? 0)),
        longestCpuMs: Math.max(0, ...cpu),
        above20Ms: cpu.filter((ms) => ms > 20).length,
      };
    },
    liveHeap: async (pid) => {
      process.kill(pid, 'SIGUSR2');
      for (;;) {
        const found = readLines(file).findLast(({ heapUsed }) => heapUsed !== undefined);
        if (found !== undefined) return (found.heapUsed ?? 0) + (found.external ?? 0);
        await sleep(100);
      }
    },
  };
}

type Line = Partial<Record<'at' | 'wallMs' | 'cpuMs' | 'heapUsed' | 'external', number>>;

function readLines(file: string): readonly Line[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}
