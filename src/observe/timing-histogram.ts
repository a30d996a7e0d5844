import {
  Histogram,
  type HistogramConfiguration,
  type MetricObjectWithValues,
  type MetricValueWithName,
} from 'prom-client';

/** One series of a histogram. */
export interface Timing {
  /** Counts what took so long, seconds; what is no finite number is not counted. */
  observe(seconds: number): void;
}

type Labels = Readonly<Record<string, string>>;

/**
 * A histogram for what is observed at every check: an observation is three additions. prom-client's own looks labels up by their text and checks them
 * at each. What it says is the same, and is made when it is asked.
 *
 * A class because prom-client's registry takes metrics of its own classes alone.
 */
export class TimingHistogram extends Histogram {
  /** One that nobody observes: what it says is what ours says, but for the values. */
  readonly #empty: Histogram;
  readonly #name: string;
  readonly #bounds: readonly number[];
  /** By the text of their labels. */
  readonly #series = new Map<string, { readonly labels: Labels; readonly counts: Series }>();

  constructor(configuration: HistogramConfiguration<string> & { readonly buckets: number[] }) {
    super(configuration);
    this.#empty = new Histogram({ ...configuration, registers: [] });
    this.#name = configuration.name;
    this.#bounds = configuration.buckets;
  }

  /** The series of these labels, from zero on; the same for the same labels. To be kept by whoever observes often. */
  series(labels: Labels): Timing {
    const key = JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const known = this.#series.get(key);
    if (known !== undefined) return known.counts;
    const counts = new Series(this.#bounds);
    this.#series.set(key, { labels, counts });
    return counts;
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const values = [...this.#series.values()].flatMap(({ labels, counts }) => this.#valuesOf(labels, counts));
    return { ...(await this.#empty.get()), values };
  }

  /** What the registry asks for its text where there is such a method. */
  getForPromString(): ReturnType<TimingHistogram['get']> {
    return this.get();
  }

  #valuesOf(labels: Labels, { buckets, sum, count }: Series): MetricValueWithName<string>[] {
    let below = 0;
    const bounds = this.#bounds.map((le, i) => {
      below += buckets[i] ?? 0;
      return { labels: { le, ...labels }, value: below, metricName: `${this.#name}_bucket` };
    });
    return [
      ...bounds,
      { labels: { le: '+Inf', ...labels }, value: count, metricName: `${this.#name}_bucket` },
      { labels: { ...labels }, value: sum, metricName: `${this.#name}_sum` },
      { labels: { ...labels }, value: count, metricName: `${this.#name}_count` },
    ];
  }
}

class Series implements Timing {
  readonly #bounds: readonly number[];
  /** How many fell below each bound and above the one before. */
  readonly buckets: Float64Array;
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.buckets = new Float64Array(bounds.length);
  }

  observe(seconds: number): void {
    if (!Number.isFinite(seconds)) return;
    this.sum += seconds;
    this.count++;
    const bounds = this.#bounds;
    for (let i = 0; i < bounds.length; i++) {
      if (seconds > (bounds[i] ?? 0)) continue;
      this.buckets[i] = (this.buckets[i] ?? 0) + 1;
      return;
    }
  }
}
