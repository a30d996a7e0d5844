import { AggregatorRegistry, type Registry } from 'prom-client';

/** All values of one metric in one process: plain data, that goes from process to process. */
export interface MetricSnapshot {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Partial<Record<string, string | number>>>;
    readonly metricName?: string;
  }[];
}

type Across = 'sum' | 'min' | 'max' | 'first';

/** Of gauges that say something of a process: what they say of several. Those that are not here are told by the first process alone. */
const gaugesAcross: Readonly<Record<string, Across>> = {
  portcullis_tls_certificate_expiry_seconds: 'min',
  process_open_fds: 'sum',
  process_max_fds: 'min',
  process_resident_memory_bytes: 'sum',
  process_virtual_memory_bytes: 'sum',
  process_heap_bytes: 'sum',
  nodejs_active_handles: 'sum',
  nodejs_active_handles_total: 'sum',
  nodejs_active_requests: 'sum',
  nodejs_active_requests_total: 'sum',
  nodejs_active_resources: 'sum',
  nodejs_active_resources_total: 'sum',
  nodejs_external_memory_bytes: 'sum',
  nodejs_heap_size_total_bytes: 'sum',
  nodejs_heap_size_used_bytes: 'sum',
  nodejs_heap_space_size_total_bytes: 'sum',
  nodejs_heap_space_size_used_bytes: 'sum',
  nodejs_heap_space_size_available_bytes: 'sum',
};

/** One exposition of several processes: counters and histograms are summed; `first` is the process that knows what all of them serve. */
export async function mergeMetrics(
  first: readonly MetricSnapshot[],
  others: readonly (readonly MetricSnapshot[])[],
): Promise<{ readonly contentType: string; readonly text: string }> {
  const told = others.map((snapshots) => snapshots.filter(isToldByAll));
  const registry = AggregatorRegistry.aggregate([first, ...told].map((snapshots) => snapshots.map(withAggregator)));
  return { contentType: registry.contentType, text: await registry.metrics() };
}

/** What was counted in processes that are gone, in one snapshot: a sum must never go down. */
export async function addCounts(
  before: readonly MetricSnapshot[],
  more: readonly MetricSnapshot[],
): Promise<readonly MetricSnapshot[]> {
  const counts = [before, more].map((snapshots) =>
    snapshots.filter(({ type }) => type !== 'gauge').map(withAggregator),
  );
  return snapshotsOf(AggregatorRegistry.aggregate(counts));
}

/** All metrics of a registry. */
export async function snapshotsOf(registry: Registry): Promise<readonly MetricSnapshot[]> {
  const metrics = await registry.getMetricsAsJSON();
  // The types of prom-client have numbers for what is a word.
  return metrics.map(({ name, help, type, values }) => ({ name, help, type: String(type), values }));
}

function isToldByAll({ name, type }: MetricSnapshot): boolean {
  return type !== 'gauge' || acrossOf(name) !== 'first';
}

/** How long Node's event loop was held up is the worst of all. */
function acrossOf(name: string): Across {
  return gaugesAcross[name] ?? (name.startsWith('nodejs_eventloop_lag_') ? 'max' : 'first');
}

function withAggregator(snapshot: MetricSnapshot): MetricSnapshot & { readonly aggregator: Across } {
  return { ...snapshot, aggregator: snapshot.type === 'gauge' ? acrossOf(snapshot.name) : 'sum' };
}
