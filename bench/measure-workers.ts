import { atLeast, judgeReach, type Reach } from './aim.ts';
import { bindTo, type Cores } from './cores.ts';
import { createLoad, type Load, type LoadResult } from './load.ts';
import { rounds, warmUpSeconds } from './options.ts';
import { childrenOf, cpuMicrosOf } from './process-figures.ts';
import { servedRows } from './served-rows.ts';
import type { Stand } from './stand.ts';
import { startServe, type Started } from './start-row.ts';
import { median } from './statistics.ts';

/** What two workers do beside one process. */
export interface WorkersFigures {
  readonly one: WorkersSide;
  readonly two: WorkersSide;
  /** Two beside one, medians of the quotients within a round: what two cores that nobody else uses would give, by the CPU time of a check. */
  readonly timesByCpu: number;
  /** The same by the clock: what two cores gave. */
  readonly timesByClock: number;
  /** Whether the load had a third core then; else it took its part of the two. */
  readonly hasCoreForLoad: boolean;
  readonly reach: readonly Reach[];
}

/** Medians of the rounds. */
export interface WorkersSide {
  /** CPU time of all processes for one check, microseconds, all of them on one core and the load on another. */
  readonly cpuMicros: number;
  /** The part of it that the process took that took most: 1 where there is one process. */
  readonly busiest: number;
  /** By the clock, on two cores. */
  readonly checksPerSecond: number;
  /** How much of them the processes of the server used then, and how much of a core the load. */
  readonly coresUsed: number;
  readonly loadCoresUsed: number;
}

interface Side extends Started {
  readonly load: Load;
  /** Of all processes that answer or watch. */
  readonly pids: readonly number[];
  readonly samples: WorkersSide[];
}

type Tell = (line: string) => void;

/**
 * One process and two workers by turns. Each is loaded twice in a round: on one core, the load on the other, where the CPU time of a check counts;
 * then on two cores, where the clock does.
 */
export async function measureWorkers(stand: Stand, seconds: number, tell: Tell): Promise<WorkersFigures> {
  const sides: Side[] = [];
  try {
    for (const workers of [1, 2]) sides.push(await startSide(workers, stand));
    for (const { load } of sides) await load.run(warmUpSeconds);
    for (let round = 0; round < rounds; round++) {
      tell(`round ${round + 1} of ${rounds}`);
      for (const side of round % 2 === 0 ? sides : sides.toReversed())
        side.samples.push(await sample(side, stand.cores, seconds));
    }
    const [one, two] = sides.map(({ samples }) => samples);
    return toWorkersFigures(one ?? [], two ?? [], stand.cores?.spare !== undefined);
  } finally {
    for (const { load } of sides) load.close();
    await Promise.all(sides.map(({ server }) => server.stop()));
  }
}

async function startSide(workers: number, stand: Stand): Promise<Side> {
  const row = { ...servedRows['repeated-native'], workers };
  const started = await startServe(`workers-${workers}`, stand, row);
  const children = childrenOf(started.server.pid);
  if (children.length !== (workers === 1 ? 0 : workers))
    throw new Error(`workers: ${workers} has ${children.length} processes beside the first one`);
  return { ...started, load: await createLoad(started.target), pids: [started.server.pid, ...children], samples: [] };
}

async function sample({ server, load, pids }: Side, cores: Cores | undefined, seconds: number): Promise<WorkersSide> {
  const bind = (ofServer: readonly number[], ofLoad: readonly number[]): void => {
    for (const pid of pids) bindTo(pid, ofServer);
    bindTo(process.pid, ofLoad);
  };
  const bound = await loaded(load, pids, seconds);
  if (cores !== undefined) {
    const { generator, spare = generator } = cores;
    const two = [cores.server, spare];
    bind(two, cores.spare === undefined ? two : [generator]);
  }
  const spread = await loaded(load, pids, seconds);
  // As everything else is measured.
  if (cores !== undefined) bind([cores.server], [cores.generator]);
  server.assertRunning();
  return {
    cpuMicros: sumOf(bound.cpus) / bound.result.answers,
    busiest: Math.max(...bound.cpus) / sumOf(bound.cpus),
    checksPerSecond: spread.result.answers / spread.result.seconds,
    coresUsed: sumOf(spread.cpus) / (spread.result.seconds * 1_000_000),
    loadCoresUsed: spread.loadCpu / (spread.result.seconds * 1_000_000),
  };
}

interface Loaded {
  readonly result: LoadResult;
  /** CPU time that each process took, microseconds. */
  readonly cpus: readonly number[];
  readonly loadCpu: number;
}

async function loaded(load: Load, pids: readonly number[], seconds: number): Promise<Loaded> {
  const before = pids.map(cpuMicrosOf);
  const ownBefore = cpuMicrosOf(process.pid);
  const result = await load.run(seconds);
  const cpus = pids.map((pid, index) => cpuMicrosOf(pid) - (before[index] ?? Number.NaN));
  const loadCpu = cpuMicrosOf(process.pid) - ownBefore;
  if (result.unexpected > 0)
    throw new Error(`workers: ${result.unexpected} of ${result.answers} answers were not what was expected`);
  return { result, cpus, loadCpu };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Of the rounds of both sides. The aim is held against the clock where the load had a core of its own, else against the CPU time. */
export function toWorkersFigures(
  one: readonly WorkersSide[],
  two: readonly WorkersSide[],
  hasCoreForLoad: boolean,
): WorkersFigures {
  const timesOf = (figure: (side: WorkersSide) => number): number => {
    const ofOne = one.map(figure);
    return median(two.map((side, round) => figure(side) / (ofOne[round] ?? Number.NaN)));
  };
  const timesByCpu = timesOf(capacity);
  const timesByClock = timesOf(({ checksPerSecond }) => checksPerSecond);
  const reach = hasCoreForLoad
    ? judgeReach('workers: two by the clock', timesByClock, atLeast(1.8), '× one')
    : judgeReach('workers: two by CPU time', timesByCpu, atLeast(1.8), '× one');
  return { one: medians(one), two: medians(two), timesByCpu, timesByClock, hasCoreForLoad, reach: [reach] };
}

/**
 * Checks a second on two cores that nobody else uses, by the CPU time of a check: they are full when all processes together have taken two seconds of
 * it, or one process a second, whichever comes first. So what who watches takes counts, and so does a worker that has more to do than the other.
 */
function capacity({ cpuMicros, busiest }: WorkersSide): number {
  return 1_000_000 / (cpuMicros * Math.max(busiest, 0.5));
}

function medians(samples: readonly WorkersSide[]): WorkersSide {
  const medianOf = (figure: keyof WorkersSide): number => median(samples.map((one) => one[figure]));
  return {
    cpuMicros: medianOf('cpuMicros'),
    busiest: medianOf('busiest'),
    checksPerSecond: medianOf('checksPerSecond'),
    coresUsed: medianOf('coresUsed'),
    loadCoresUsed: medianOf('loadCoresUsed'),
  };
}
