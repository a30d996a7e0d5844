import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { metricTable, type MetricName, type MetricRow } from './metric-table.ts';

/** Makes the metrics of the table, each of them once. */
export interface MetricRegistry {
  counter(name: MetricName): Counter;
  gauge(name: MetricName): Gauge;
  histogram(name: MetricName): Histogram;
  /** All metrics as text, and the content type of that text. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>;
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
  return {
    counter: (name) => new Counter(shape(name)),
    gauge: (name) => new Gauge(shape(name)),
    histogram: (name) => {
      const row: MetricRow = metricTable[name];
      return new Histogram({ ...shape(name), buckets: [...(row.buckets ?? [])] });
    },
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
