import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderChart } from '../../tools/chart/render-chart.ts';
import { readValues, renderValues } from '../../tools/chart/values-table.ts';

test('the chart has the CRDs that are generated, and no other', async () => {
  const generated = (await renderChart()).map(([path]) => path).filter((path) => path.includes('/crds-generated/'));
  const there = readdirSync('helm/portcullis/crds-generated').map((name) => `helm/portcullis/crds-generated/${name}`);
  expect(there.toSorted()).toEqual(generated.toSorted());
});

const values = `# -- The whole of it.
whole:
  a: 1
  # -- A part.
  b: x|y
group:
  # -- In a group.
  named: []
  forgotten: true
`;

test('values are read with their descriptions and defaults, and one without a word is found', () => {
  expect(readValues(values)).toEqual({
    values: [
      { path: 'whole', description: 'The whole of it.', default: { a: 1, b: 'x|y' } },
      { path: 'whole.b', description: 'A part.', default: 'x|y' },
      { path: 'group.named', description: 'In a group.', default: [] },
    ],
    undocumented: ['group.forgotten'],
  });
});

test('the table keeps its cells apart', () => {
  expect(renderValues(readValues(values).values.slice(1, 2)).split('\n')[2]).toBe(
    '| `whole.b` | `"x\\|y"` | A part. |',
  );
});
