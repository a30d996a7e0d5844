import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { formatYaml } from '../../../src/std/format-yaml.ts';

test('maps and lists are written as blocks, texts in quotes', () => {
  expect(formatYaml({ name: 'a', list: [{ key: 1, inner: ['x'] }, [], {}], no: true, none: undefined })).toBe(
    'name: "a"\nlist:\n  - key: 1\n    inner:\n      - "x"\n  - []\n  - {}\n"no": true\n',
  );
});

test.each([
  ['a text', 'x: # y'],
  ['a list of lists', [[1, [2]], [[]]]],
  ['odd keys', { 'a b': 1, '': 2, 'x:y': 3, '-': 4, true: 5, '\n': 6 }],
  ['texts that look like other types', ['true', '1', 'null', '', ' a', '~', '2001-01-01', 'ü\u0000\u2028']],
  ['nested maps', { a: { b: { c: [{ d: null }] } } }],
])('a YAML reader reads %s back', (_what, value) => {
  expect(parse(formatYaml(value))).toEqual(value);
});
