import { bringEnvoy } from '../../src/dev/envoy-binary.ts';
import { atLeast, atMost, judgeReach, type Reach } from '../aim.ts';
import { rounds, warmUpSeconds } from '../options.ts';
import { cpuMicrosOf } from '../process-figures.ts';
import type { Stand } from '../stand.ts';
import { median, quantile } from '../statistics.ts';
import { settings, type SettingName } from './envoy-settings.ts';
import { createHttpLoad, type HttpLoad } from './http-load.ts';
import { assertSameJob, startSetting, startUpstream, type StartedSetting } from './start-setting.ts';

export interface EnvoyFigures {
  readonly perSecond: number;
  readonly rows: readonly EnvoyRow[];
  readonly reach: readonly Reach[];
}

/** Medians of the rounds. */
export interface EnvoyRow extends Sample {
  readonly name: SettingName;
  /** Beside Envoy's own filters, quotients within a round: of the throughput, and of the p99 at the fixed rate. */
  readonly timesThroughput: number;
  /** The same reckoned from the CPU time that a request takes on the shared core: steadier where others use it too. */
  readonly timesByCpu: number;
  readonly timesP99: number;
}

interface Sample {
  /** At saturation. */
  readonly requestsPerSecond: number;
  /** CPU time of a request at saturation, microseconds. */
  readonly envoyMicros: number;
  readonly portcullisMicros: number;
  /** At the fixed rate, as the client sees them. */
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  /** Answers other than 200, of both loads, all rounds together. */
  readonly unexpected: number;
  readonly answers: number;
}

interface Running extends StartedSetting {
  readonly load: HttpLoad;
  readonly samples: Sample[];
}

type Tell = (line: string) => void;

/** A fixed rate well below what any of them can do. */
const perSecond = 800;
const names = Object.keys(settings) as readonly SettingName[];
const yardstick = 'own-filters';

/** Envoy, and with it Portcullis, on one core, the clients on another; the settings take turns as rows do. */
export async function measureEnvoy(stand: Stand, seconds: number, tell: Tell): Promise<EnvoyFigures> {
  const binary = await bringEnvoy({ environment: process.env, progress: tell });
  const running: Running[] = [];
  const upstream = await startUpstream(stand, binary);
  try {
    for (const name of names) {
      tell(`starting Envoy: ${name}`);
      const started = await startSetting(name, stand, { binary, upstreamPort: upstream.port });
      running.push({ ...started, load: await createHttpLoad(started.port, started.request), samples: [] });
      await assertSameJob(started, stand);
    }
    for (const { load } of running) await load.saturate(warmUpSeconds);
    for (let round = 0; round < rounds; round++) {
      tell(`round ${round + 1} of ${rounds}`);
      const order = round % 2 === 0 ? running : running.toReversed();
      for (const one of order) one.samples.push(await sample(one, seconds));
    }
    return toFigures(running);
  } finally {
    for (const { load } of running) load.close();
    await Promise.all([...running, upstream.envoy].map((one) => one.stop()));
  }
}

async function sample({ load, envoy, portcullis }: Running, seconds: number): Promise<Sample> {
  const cpu = (): readonly [number, number] => [
    cpuMicrosOf(envoy.pid),
    portcullis === undefined ? 0 : cpuMicrosOf(portcullis.pid),
  ];
  const before = cpu();
  const full = await load.saturate(seconds);
  const after = cpu();
  // Twice as long: a p99 wants more answers than a throughput.
  const paced = await load.pace(perSecond, 2 * seconds);
  envoy.assertRunning();
  portcullis?.assertRunning();
  return {
    requestsPerSecond: full.answers / full.seconds,
    envoyMicros: (after[0] - before[0]) / full.answers,
    portcullisMicros: (after[1] - before[1]) / full.answers,
    p50Ms: quantile(paced.latencies, 0.5),
    p90Ms: quantile(paced.latencies, 0.9),
    p99Ms: quantile(paced.latencies, 0.99),
    unexpected: full.unexpected + paced.unexpected,
    answers: full.answers + paced.answers,
  };
}

function toFigures(running: readonly Running[]): EnvoyFigures {
  const measure = running.find(({ name }) => name === yardstick)?.samples ?? [];
  const rows = running.map((one) => toRow(one, measure));
  const native = rows.find(({ name }) => name === 'native');
  const unit = '× own filters';
  const reach = [
    judgeReach('envoy: throughput, native', native?.timesThroughput ?? Number.NaN, atLeast(0.85), unit),
    judgeReach(`envoy: p99 at ${perSecond}/s, native`, native?.timesP99 ?? Number.NaN, atMost(2), unit),
  ];
  return { perSecond, rows, reach };
}

function coreMicros(sample: Sample | undefined): number {
  return sample === undefined ? Number.NaN : sample.envoyMicros + sample.portcullisMicros;
}

function toRow({ name, samples }: Running, measure: readonly Sample[]): EnvoyRow {
  const medianOf = (figure: keyof Sample): number => median(samples.map((one) => one[figure]));
  const sumOf = (figure: keyof Sample): number => samples.reduce((sum, one) => sum + one[figure], 0);
  const timesOf = (figure: keyof Sample): number =>
    median(samples.map((one, round) => one[figure] / (measure[round]?.[figure] ?? Number.NaN)));
  return {
    name,
    requestsPerSecond: medianOf('requestsPerSecond'),
    envoyMicros: medianOf('envoyMicros'),
    portcullisMicros: medianOf('portcullisMicros'),
    p50Ms: medianOf('p50Ms'),
    p90Ms: medianOf('p90Ms'),
    p99Ms: medianOf('p99Ms'),
    timesThroughput: timesOf('requestsPerSecond'),
    timesByCpu: median(samples.map((one, round) => coreMicros(measure[round]) / coreMicros(one))),
    timesP99: timesOf('p99Ms'),
    unexpected: sumOf('unexpected'),
    answers: sumOf('answers'),
  };
}
