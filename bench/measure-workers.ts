import { atLeast, judgeReach, type Reach } from './aim.ts';
import { bindTo } from './cores.ts';
import { connectionShape, createLoad, type Load } from './load.ts';
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
  /** CPU time for one check, microseconds: of who answers, on a core of its own, and of who watches. */
  readonly cpuMicros: number;
  /** By the clock, on two cores. */
  readonly checksPerSecond: number;
  /** How much of them the processes of the server used then, and how much of a core the load. */
  readonly coresUsed: number;
  readonly loadCoresUsed: number;
}

interface Side extends Started {
  /** A load for each connection. */
  readonly loads: readonly Load[];
  /** Of the processes that answer; each has its part of the connections, in their order. */
  readonly answering: readonly number[];
  /** Where another process answers: the one that watches. */
  readonly watching: number | undefined;
  readonly samples: WorkersSide[];
}

type Tell = (line: string) => void;

/**
 * One process and two workers by turns. Each process that answers has the load of a row, so there are twice as many connections to two: with fewer calls
 * at a time a check is dearer, whoever answers. In a round each process that answers has the server's core for itself once, while the
 * other one, elsewhere, has as much to do; then the CPU time of a check counts. After that all have two cores, and the clock counts.
 */
export async function measureWorkers(stand: Stand, seconds: number, tell: Tell): Promise<WorkersFigures> {
  const sides: Side[] = [];
  try {
    for (const workers of [1, 2]) sides.push(await startSide(workers, stand));
    for (const side of sides) await warmUp(side);
    for (let round = 0; round < rounds; round++) {
      tell(`round ${round + 1} of ${rounds}`);
      for (const side of round % 2 === 0 ? sides : sides.toReversed())
        side.samples.push(await sample(side, stand, seconds));
    }
    const [one, two] = sides.map(({ samples }) => samples);
    return toWorkersFigures(one ?? [], two ?? [], stand.cores?.spare !== undefined);
  } finally {
    for (const load of sides.flatMap(({ loads }) => loads)) load.close();
    await Promise.all(sides.map(({ server }) => server.stop()));
  }
}

async function startSide(workers: number, stand: Stand): Promise<Side> {
  const row = { ...servedRows['repeated-native'], workers };
  const started = await startServe(`workers-${workers}`, stand, row);
  const { pid } = started.server;
  const children = childrenOf(pid);
  if (children.length !== (workers === 1 ? 0 : workers))
    throw new Error(`workers: ${workers} has ${children.length} processes beside the first one`);
  const loads: Load[] = [];
  while (loads.length < connectionShape.connections * workers) loads.push(await createLoad(started.target, 1));
  const isAlone = workers === 1;
  return {
    ...started,
    loads,
    answering: isAlone ? [pid] : children,
    watching: isAlone ? undefined : pid,
    samples: [],
  };
}

/** Throws where the connections are not spread as they should be: then nothing else says what it seems to say. */
async function warmUp(side: Side): Promise<void> {
  const { loads, answering } = side;
  await runAll(side, warmUpSeconds);
  for (const [index, load] of loads.entries()) {
    const before = answering.map(cpuMicrosOf);
    await load.run(0.2);
    const cpus = answering.map((pid, at) => cpuMicrosOf(pid) - (before[at] ?? Number.NaN));
    const expected = index % answering.length;
    if (cpus.indexOf(Math.max(...cpus)) !== expected)
      throw new Error(`connection ${index + 1} is not of worker ${expected + 1}`);
  }
}

async function sample(side: Side, { cores }: Stand, seconds: number): Promise<WorkersSide> {
  const { server, answering, watching } = side;
  const bind = (pid: number, ...to: readonly number[]): void => {
    if (cores !== undefined) bindTo(pid, to);
  };
  const { server: ours = 0, generator = 0, spare = generator } = cores ?? {};
  const costs: number[] = [];
  for (const [index, pid] of answering.entries()) {
    for (const other of answering) bind(other, other === pid ? ours : spare);
    if (watching !== undefined) bind(watching, ours);
    bind(process.pid, generator);
    const { answers, cpus, watcherCpu } = await runAll(side, seconds);
    costs.push((cpus[index] ?? Number.NaN) / (answers[index] ?? Number.NaN) + watcherCpu / sumOf(answers));
  }
  for (const pid of [...answering, ...(watching === undefined ? [] : [watching])]) bind(pid, ours, spare);
  if (cores?.spare === undefined) bind(process.pid, ours, generator);
  const { answers, cpus, watcherCpu, loadCpu, took } = await runAll(side, seconds);
  // As everything else is measured.
  bind(process.pid, generator);
  server.assertRunning();
  return {
    cpuMicros: sumOf(costs) / costs.length,
    checksPerSecond: sumOf(answers) / took,
    coresUsed: (sumOf(cpus) + watcherCpu) / (took * 1_000_000),
    loadCoresUsed: loadCpu / (took * 1_000_000),
  };
}

interface Loaded {
  /** Of each process that answers, and the CPU time that it took for them, microseconds. */
  readonly answers: readonly number[];
  readonly cpus: readonly number[];
  readonly watcherCpu: number;
  readonly loadCpu: number;
  readonly took: number;
}

async function runAll({ loads, answering, watching }: Side, seconds: number): Promise<Loaded> {
  const pids = [...answering, process.pid, ...(watching === undefined ? [] : [watching])];
  const before = pids.map(cpuMicrosOf);
  const results = await Promise.all(loads.map((load) => load.run(seconds)));
  const cpus = pids.map((pid, index) => cpuMicrosOf(pid) - (before[index] ?? Number.NaN));
  const unexpected = sumOf(results.map((result) => result.unexpected));
  if (unexpected > 0) throw new Error(`workers: ${unexpected} answers were not what was expected`);
  const answersOf = (at: number): number =>
    sumOf(results.flatMap((result, index) => (index % answering.length === at ? result.answers : [])));
  const [loadCpu = Number.NaN, watcherCpu = 0] = cpus.slice(answering.length);
  return {
    answers: answering.map((_pid, at) => answersOf(at)),
    cpus: cpus.slice(0, answering.length),
    watcherCpu,
    loadCpu,
    took: Math.max(...results.map((result) => result.seconds)),
  };
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
  // Two cores in place of one, each with as many checks as go into its time.
  const timesByCpu = 2 / timesOf(({ cpuMicros }) => cpuMicros);
  const timesByClock = timesOf(({ checksPerSecond }) => checksPerSecond);
  const reach = hasCoreForLoad
    ? judgeReach('workers: two by the clock', timesByClock, atLeast(1.8), '× one')
    : judgeReach('workers: two by CPU time', timesByCpu, atLeast(1.8), '× one');
  return { one: medians(one), two: medians(two), timesByCpu, timesByClock, hasCoreForLoad, reach: [reach] };
}

function medians(samples: readonly WorkersSide[]): WorkersSide {
  const medianOf = (figure: keyof WorkersSide): number => median(samples.map((one) => one[figure]));
  return {
    cpuMicros: medianOf('cpuMicros'),
    checksPerSecond: medianOf('checksPerSecond'),
    coresUsed: medianOf('coresUsed'),
    loadCoresUsed: medianOf('loadCoresUsed'),
  };
}
