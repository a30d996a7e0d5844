import { Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { TimingHistogram } from '../../../src/observe/timing-histogram.ts';

const configuration = {
  name: 'some_seconds',
  help: 'How long "some"\nthing takes.',
  labelNames: ['method', 'kind'],
  buckets: [0.001, 0.01, 0.1, 1],
};

/** What both say after the same observations. */
async function expositions(observations: readonly (readonly [method: string, seconds: number])[]) {
  const [reference, registry] = [new Registry(), new Registry()];
  const theirs = new Histogram({ ...configuration, registers: [reference] });
  const ours = new TimingHistogram({ ...configuration, registers: [registry] });
  for (const [method, seconds] of observations) {
    const labels = { method, kind: 'unary' };
    theirs.observe(labels, seconds);
    // The order of labels is none of them.
    ours.series(seconds > 0.04 ? { kind: 'unary', method } : labels).observe(seconds);
  }
  return { reference, registry };
}

const observations = [
  ...[0, 0.0005, 0.001, 0.0011, 0.05, 0.1, 1, 1.0001, 70].map((seconds) => ['Check', seconds] as const),
  ['Watch "quoted"', 0.02] as const,
];

test('says what the histogram of prom-client says, as text', async () => {
  const { reference, registry } = await expositions(observations);
  expect(await registry.metrics()).toBe(await reference.metrics());
  expect(await registry.metrics()).toContain('some_seconds_bucket{le="0.1",method="Check",kind="unary"} 6');
});

test('says it as data too', async () => {
  const { reference, registry } = await expositions(observations);
  // Theirs has an empty place for an exemplar besides.
  const plain = async (of: Registry): Promise<unknown> =>
    JSON.parse(JSON.stringify(await of.getMetricsAsJSON(), (name, value) => (name === 'exemplar' ? undefined : value)));
  expect(await plain(registry)).toEqual(await plain(reference));
});

test('has a series from zero on, and none that nobody asked for', async () => {
  const registry = new Registry();
  const histogram = new TimingHistogram({ ...configuration, registers: [registry] });
  expect(await registry.metrics()).not.toContain('some_seconds_count');
  histogram.series({ method: 'Check', kind: 'unary' });
  expect(await registry.metrics()).toContain('some_seconds_count{method="Check",kind="unary"} 0');
});

test('does not count what is no finite number', async () => {
  const registry = new Registry();
  const series = new TimingHistogram({ ...configuration, registers: [registry] }).series({ method: 'a', kind: 'b' });
  for (const seconds of [Number.NaN, Infinity, -Infinity, 0.5]) series.observe(seconds);
  const text = await registry.metrics();
  expect(text).toContain('some_seconds_count{method="a",kind="b"} 1');
  expect(text).toContain('some_seconds_sum{method="a",kind="b"} 0.5');
});
