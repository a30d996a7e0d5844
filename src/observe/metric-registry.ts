import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { snapshotsOf, type MetricSnapshot } from './merge-metrics.ts';
import { TimingHistogram } from './timing-histogram.ts';
import { metricTable, type MetricName, type MetricRow } from './metric-table.ts';

/** Makes the metrics of the table, each of them once. */
export interface MetricRegistry {
  counter(name: MetricName): Counter;
  gauge(name: MetricName): Gauge;
  histogram(name: MetricName): Histogram;
  /** A histogram for what is observed at every check. */
  timing(name: MetricName): TimingHistogram;
  /**
   * One series of a counter, from zero on, for what is counted at every check: it counts in a plain number and hands over when the metrics are
   * read, because prom-client looks labels up and checks them at every increase.
   */
  tally(counter: Counter, labels: Readonly<Record<string, string>>): Tally;
  /** All metrics as text, and the content type of that text. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** All metrics as plain data. */
  snapshots(): Promise<readonly MetricSnapshot[]>;
}

export interface Tally {
  inc(): void;
}

/** `processMetrics`: also those of the process and of Node, which are of the process as a whole. */
export function createMetricRegistry(processMetrics: boolean): MetricRegistry {
  const registry = new Registry();
  if (processMetrics) collectDefaultMetrics({ register: registry });
  const shape = (name: MetricName): { name: string; help: string; labelNames: string[]; registers: Registry[] } => ({
    name,
    help: metricTable[name].help,
    labelNames: [...metricTable[name].labels],
    registers: [registry],
  });
  const bucketsOf = (name: MetricName): { buckets: number[] } => {
    const row: MetricRow = metricTable[name];
    return { buckets: [...(row.buckets ?? [])] };
  };
  const handOvers: (() => void)[] = [];
  const handOver = (): void => {
    for (const one of handOvers) one();
  };
  return {
    counter: (name) => new Counter(shape(name)),
    gauge: (name) => new Gauge(shape(name)),
    histogram: (name) => new Histogram({ ...shape(name), ...bucketsOf(name) }),
    timing: (name) => new TimingHistogram({ ...shape(name), ...bucketsOf(name) }),
    tally: (counter, labels) => {
      let pending = 0;
      const handOverOne = (): void => {
        counter.inc(labels, pending);
        pending = 0;
      };
      handOverOne();
      handOvers.push(handOverOne);
      return {
        inc: () => {
          pending++;
        },
      };
    },
    snapshots: async () => {
      handOver();
      return snapshotsOf(registry);
    },
    expose: async () => {
      handOver();
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
