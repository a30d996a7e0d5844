import { expect, test } from 'vitest';
import { generateChart, staleChart } from '../../tools/generate-chart.ts';
import { readValues, renderValues } from '../../tools/chart/values-table.ts';

test('the generated files of the chart are what they are made of (else run test/tools/generate-chart.ts)', async () => {
  expect([...(await generateChart()).keys()]).toEqual([
    'helm/portcullis/crds-generated/accesspolicies.yaml',
    'helm/portcullis/crds-generated/identityproviders.yaml',
    'helm/portcullis/crds-generated/clusteraccesspolicies.yaml',
    'helm/portcullis/crds-generated/clusteridentityproviders.yaml',
    'helm/portcullis/README.md',
  ]);
  expect(await staleChart()).toEqual([]);
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
