import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/std/duration.ts';

test.each([
  ['0s', 0],
  ['500ms', 500],
  ['5s', 5000],
  ['90s', 90_000],
  ['10m', 600_000],
  ['24h', 86_400_000],
  ['1h30m', 5_400_000],
  ['1h2m3s4ms', 3_723_004],
])('a duration %s is %d milliseconds', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each([
  '',
  '5',
  '-5s',
  '+5s',
  '1.5s',
  '5 s',
  ' 5s',
  '5S',
  '5sec',
  '5s5m',
  '5m5m',
  '1d',
  's',
  '123456s',
  '٥s',
  '1e3s',
])('a text like %j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test.each([0, 1, 500, 1500, 5000, 60_000, 90_000, 600_000, 3_600_000, 86_400_000, 99_999_999])(
  'what is written for %d milliseconds reads back as the same',
  (milliseconds) => {
    expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
  },
);

test('a duration is written in one unit, the largest that fits', () => {
  expect([0, 500, 1500, 90_000, 600_000, 86_400_000].map(formatDuration)).toEqual([
    '0s',
    '500ms',
    '1500ms',
    '90s',
    '10m',
    '24h',
  ]);
});
