import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../statistics.ts';

/** What `loop-probe.ts` writes down of a process. */
export interface ProbeLog {
  /** Options of Node that load the probe. */
  readonly nodeFlags: readonly string[];
  /** Where the event loop stood still since then, until now or then (milliseconds since the epoch). */
  stopsSince(since: number, until?: number): Promise<StopFigures>;
  /** What the garbage collector stopped the main thread for since then. */
  pausesSince(since: number): Promise<PauseFigures>;
  /** Bytes that live on the heap after a collection. */
  liveHeap(pid: number): Promise<number>;
  /** How late the event loop was since this or `liveHeap` was last called, as `monitorEventLoopDelay` sees it. */
  takeDelay(pid: number): Promise<DelayFigures>;
}

/** By the clock on the wall: what others of the machine take meanwhile is in it. */
export interface PauseFigures {
  readonly pauses: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  readonly above10Ms: number;
}

/** Between two looks of a timer of one millisecond, so that 1 ms is none; milliseconds by the clock on the wall. */
export interface DelayFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
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
    stopsSince: async (since, until = Number.POSITIVE_INFINITY) => {
      await sleep(flushMs);
      const stops = readLines(file).filter(({ at = 0 }) => at >= since && at < until);
      const cpu = stops.map(({ cpuMs }) => cpuMs ?? 0);
      return {
        longestMs: Math.max(0, ...stops.map(({ wallMs }) => wallMs ?? 0)),
        longestCpuMs: Math.max(0, ...cpu),
        above20Ms: cpu.filter((ms) => ms > 20).length,
      };
    },
    pausesSince: async (since) => {
      await sleep(flushMs);
      const pauses = readLines(file).flatMap(({ pausedAt = 0, pauseMs = 0 }) => (pausedAt >= since ? [pauseMs] : []));
      return {
        pauses: pauses.length,
        p99Ms: quantile(pauses, 0.99),
        longestMs: Math.max(0, ...pauses),
        above10Ms: pauses.filter((ms) => ms > 10).length,
      };
    },
    liveHeap: async (pid) => {
      const { heapUsed = 0, external = 0 } = await askProbe(file, pid);
      return heapUsed + external;
    },
    takeDelay: async (pid) => {
      const { delayP50Ms = 0, delayP99Ms = 0, delayMaxMs = 0 } = await askProbe(file, pid);
      return { p50Ms: delayP50Ms, p99Ms: delayP99Ms, maxMs: delayMaxMs };
    },
  };
}

/** Its answer to SIGUSR2. It begins to count anew a moment after. */
async function askProbe(file: string, pid: number): Promise<Line> {
  const answers = (): Line[] => readLines(file).filter(({ heapUsed }) => heapUsed !== undefined);
  const before = answers().length;
  process.kill(pid, 'SIGUSR2');
  for (;;) {
    await sleep(100);
    const answer = answers()[before];
    if (answer !== undefined) return answer;
  }
}

type Key =
  | 'at'
  | 'wallMs'
  | 'cpuMs'
  | 'pausedAt'
  | 'pauseMs'
  | 'heapUsed'
  | 'external'
  | 'delayP50Ms'
  | 'delayP99Ms'
  | 'delayMaxMs';
type Line = Partial<Record<Key, number>>;

function readLines(file: string): readonly Line[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}
