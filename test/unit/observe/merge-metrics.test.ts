import { expect, it } from 'vitest';
import { addCounts, mergeMetrics, type MetricSnapshot } from '../../../src/observe/merge-metrics.ts';

const counter = (value: number, labels = {}): MetricSnapshot => ({
  name: 'n_total',
  help: 'N.',
  type: 'counter',
  values: [{ value, labels }],
});
const gauge = (name: string, value: number): MetricSnapshot => ({
  name,
  help: 'G.',
  type: 'gauge',
  values: [{ value, labels: {} }],
});
const histogram = (count: number): MetricSnapshot => ({
  name: 'h',
  help: 'H.',
  type: 'histogram',
  values: [
    { metricName: 'h_bucket', labels: { le: 1 }, value: count },
    { metricName: 'h_sum', labels: {}, value: count / 2 },
    { metricName: 'h_count', labels: {}, value: count },
  ],
});

it('sums counters and histograms of all processes, also of those that are gone', async () => {
  const gone = await addCounts(await addCounts([], [counter(1), histogram(1), gauge('g', 9)]), [counter(2)]);
  const { text } = await mergeMetrics([counter(10)], [gone, [counter(20, { code: 'ok' }), histogram(4)]]);
  expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
    'n_total 13',
    'n_total{code="ok"} 20',
    'h_bucket{le="1"} 5',
    'h_sum 2.5',
    'h_count 5',
  ]);
});

it('tells gauges as they are meant: memory of all, the worst delay, the certificate that ends first, and the rest by the first process', async () => {
  const of = (one: number): readonly MetricSnapshot[] => [
    gauge('process_resident_memory_bytes', one),
    gauge('nodejs_eventloop_lag_p99_seconds', one),
    gauge('portcullis_policy_revision', one),
  ];
  const ends = (value: number): MetricSnapshot => gauge('portcullis_tls_certificate_expiry_seconds', value);
  const { text } = await mergeMetrics(of(1), [
    [...of(2), ends(7)],
    [...of(4), ends(5)],
  ]);
  expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
    'process_resident_memory_bytes 7',
    'nodejs_eventloop_lag_p99_seconds 4',
    'portcullis_policy_revision 1',
    'portcullis_tls_certificate_expiry_seconds 5',
  ]);
});
