import { describe, expect, test } from 'vitest';
import { helpText, parseOptions } from '../../../bench/options.ts';
import { partNames, rowNames } from '../../../bench/rows.ts';

describe('the options of the bench', () => {
  test('measure everything where nothing is said, but for what takes minutes', () => {
    const parts = ['memory', 'start', 'change', 'pauses', 'workers', 'passwords'];
    expect(parseOptions([])).toEqual({
      kind: 'options',
      options: { json: false, seconds: 1.5, rows: rowNames, parts, profile: undefined },
    });
    expect(partNames).toEqual([...parts, 'envoy', 'cluster']);
    expect(parseOptions(['--only', 'envoy'])).toMatchObject({ options: { rows: [], parts: ['envoy'] } });
    expect(parseOptions(['--only', 'cluster'])).toMatchObject({ options: { rows: [], parts: ['cluster'] } });
  });

  test('measure with a row the one that it is compared with, and nothing else', () => {
    expect(parseOptions(['--only', 'no-token', '--json', '--seconds', '0.5', '--profile', 'x'])).toEqual({
      kind: 'options',
      options: { json: true, seconds: 0.5, rows: ['bare-http2', 'no-token'], parts: [], profile: 'x' },
    });
  });

  test('measure with a row that has an aim the one that the aim names', () => {
    expect(parseOptions(['--only', 'many-policies-native'])).toMatchObject({
      options: { rows: ['bare-http2', 'ten-policies-native', 'many-policies-native'], parts: [] },
    });
  });

  test('measure no row with a part alone', () => {
    expect(parseOptions(['--only', 'memory'])).toMatchObject({ options: { rows: [], parts: ['memory'] } });
  });

  test.each([
    [['--only', 'bare']],
    [['--seconds', '0']],
    [['--seconds', 'x']],
    [['--seconds', '61']],
    [['--quick']],
    [['x']],
  ])('%j is a mistake', (args) => {
    expect(parseOptions(args).kind).toBe('usage');
  });

  test('guess the row that was meant, and name none where no name is near', () => {
    expect(parseOptions(['--only', 'repeated-tokens'])).toEqual({
      kind: 'usage',
      why: 'there is no row repeated-tokens (did you mean repeated-token?)',
    });
    expect(parseOptions(['--only', 'worker'])).toMatchObject({
      why: 'there is no row worker (did you mean workers?)',
    });
    expect(parseOptions(['--only', 'nosuch'])).toEqual({ kind: 'usage', why: 'there is no row nosuch' });
  });

  test('are explained with every row by name', () => {
    expect(parseOptions(['--help'])).toEqual({ kind: 'help' });
    for (const name of [...rowNames, ...partNames]) expect(helpText()).toContain(`  ${name} `);
  });
});
