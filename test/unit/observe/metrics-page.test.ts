import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { metricTable } from '../../../src/observe/metric-table.ts';
import { createMetrics } from '../../../src/observe/metrics.ts';
import { frozenClock } from './observe-fixtures.ts';

test('docs/metrics.md lists exactly the metrics of the table, with their types, labels and meanings', async () => {
  const page = await readFile(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| `(portcullis|grpc)_/.test(line));
  const expected = Object.entries(metricTable).map(([name, { type, labels, help }]) => {
    const cell = labels.length === 0 ? '' : ` ${labels.map((label) => `\`${label}\``).join(' ')}`;
    return `| \`${name}\` | ${type} |${cell} | ${help} |`;
  });
  expect(rows).toEqual(expected);
});

test('what is exposed is exactly the table', async () => {
  const { text } = await createMetrics({ clock: frozenClock, version: '1', processMetrics: false }).expose();
  const exposed = text.split('\n').flatMap((line) => /^# TYPE (\S+) (\S+)$/.exec(line)?.slice(1).join(' ') ?? []);
  const expected = Object.entries(metricTable).map(([name, { type }]) => `${name} ${type}`);
  expect(exposed.toSorted()).toEqual(expected.toSorted());
});

test('no label is one that a client could fill', () => {
  const labels = new Set(Object.values(metricTable).flatMap((row): readonly string[] => row.labels));
  expect([...labels].toSorted()).toEqual([
    'certificate',
    'code',
    'decision',
    'event',
    'grpc_code',
    'grpc_method',
    'grpc_service',
    'grpc_type',
    'kind',
    'node',
    'place',
    'provider',
    'reason',
    'result',
    'review',
    'source',
    'state',
    'version',
  ]);
});
