import { judgeReach, type Reach } from './aim.ts';
import { createLoad, type Load } from './load.ts';
import { rounds, warmUpSeconds, type Options } from './options.ts';
import { cpuMicrosOf } from './process-figures.ts';
import { rowAims, type RowAim } from './row-aims.ts';
import type { RowName } from './rows.ts';
import type { Stand } from './stand.ts';
import { startRow, type StartedRow } from './start-row.ts';
import { median, quantile } from './statistics.ts';

/** The figures of a row: medians of its rounds. */
export interface RowFigures {
  readonly name: RowName;
  /** CPU time of the server's process for one check, microseconds. */
  readonly cpuMicros: number;
  /** The same as a multiple of what `bare-http2` took in the same round. */
  readonly timesBare: number;
  readonly checksPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The part of its core that the server used. Well below 1 it was the load that could not go faster. */
  readonly busy: number;
  /** Answers of all rounds together, and how many of them were not what the row expects. */
  readonly checks: number;
  readonly unexpected: number;
  /** Beside the aim of the row, where it has one: the median of the quotients within a round. */
  readonly reach: Reach | undefined;
  /** Why the row says nothing; undefined where it is good. */
  readonly invalid: string | undefined;
}

type Sample = Omit<RowFigures, 'name' | 'timesBare' | 'reach' | 'invalid'>;

interface RunningRow extends StartedRow {
  readonly load: Load;
  readonly samples: Sample[];
}

type Tell = (line: string) => void;

/** Loads the rows in turn, every other round in the opposite order, so that a machine that becomes slower or faster does so for all of them. */
export async function measureRows(
  { rows, seconds }: Pick<Options, 'rows' | 'seconds'>,
  stand: Stand,
  tell: Tell,
): Promise<readonly RowFigures[]> {
  if (rows.length === 0) return [];
  const running: RunningRow[] = [];
  try {
    for (const name of rows) {
      tell(`starting ${name}`);
      const started = await startRow(name, stand);
      running.push({ ...started, load: await createLoad(started.target), samples: [] });
    }
    for (const row of running) {
      tell(`warming ${row.name} up`);
      await row.load.run(warmUpSeconds);
    }
    for (let round = 0; round < rounds; round++) {
      tell(`round ${round + 1} of ${rounds}`);
      const order = round % 2 === 0 ? running : running.toReversed();
      for (const row of order) row.samples.push(await sample(row, seconds));
    }
    const samples = new Map(running.map((row) => [row.name, row.samples]));
    return await Promise.all(running.map((row) => toFigures(row, samples)));
  } finally {
    for (const { load } of running) load.close();
    await Promise.all(running.map(({ server }) => server.stop()));
  }
}

type AllSamples = ReadonlyMap<RowName, readonly Sample[]>;

function reachOf(name: RowName, all: AllSamples): Reach | undefined {
  const aim = rowAims.get(name);
  if (aim === undefined) return undefined;
  const times = timesOther(all.get(name) ?? [], aim.figure, all.get(aim.than));
  return judgeReach(name, times, aim.bound, `× ${aim.than}`);
}

/** The median of the quotients within a round, so that drift of the machine cancels out. */
function timesOther(samples: readonly Sample[], figure: RowAim['figure'], others: readonly Sample[] = []): number {
  return median(samples.map((one, round) => one[figure] / (others[round]?.[figure] ?? Number.NaN)));
}

async function sample({ load, server }: RunningRow, seconds: number): Promise<Sample> {
  const before = cpuMicrosOf(server.pid);
  const result = await load.run(seconds);
  const cpu = cpuMicrosOf(server.pid) - before;
  server.assertRunning();
  return {
    cpuMicros: cpu / result.answers,
    checksPerSecond: result.answers / result.seconds,
    p50Ms: quantile(result.latencies, 0.5),
    p99Ms: quantile(result.latencies, 0.99),
    busy: cpu / (result.seconds * 1_000_000),
    checks: result.answers,
    unexpected: result.unexpected,
  };
}

async function toFigures({ name, samples, objection }: RunningRow, all: AllSamples): Promise<RowFigures> {
  const medianOf = (figure: (one: Sample) => number): number => median(samples.map(figure));
  const sumOf = (figure: (one: Sample) => number): number => samples.reduce((sum, one) => sum + figure(one), 0);
  const checks = sumOf((one) => one.checks);
  const unexpected = sumOf((one) => one.unexpected);
  const wrong = `${unexpected} of ${checks} answers were not what the row expects`;
  return {
    name,
    cpuMicros: medianOf((one) => one.cpuMicros),
    timesBare: timesOther(samples, 'cpuMicros', all.get('bare-http2')),
    checksPerSecond: medianOf((one) => one.checksPerSecond),
    p50Ms: medianOf((one) => one.p50Ms),
    p99Ms: medianOf((one) => one.p99Ms),
    busy: medianOf((one) => one.busy),
    checks,
    unexpected,
    reach: reachOf(name, all),
    invalid: unexpected > 0 ? wrong : await objection(),
  };
}
