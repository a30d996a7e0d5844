import { expect, test } from 'vitest';
import { compileIsoTime } from '../../../src/observe/iso-time.ts';
import { createLogger } from '../../../src/observe/logger.ts';
import { createLines, frozenClock } from './observe-fixtures.ts';

test('a line is one JSON object: level by name, time, fields, message', () => {
  const lines = createLines();
  const log = createLogger({ level: 'debug', clock: frozenClock, destination: lines });
  log.debug({}, 'small');
  log.info({ count: 1, absent: undefined, none: null, list: ['a'] }, 'text with "quotes"\nand a line');
  expect(lines.texts).toEqual([
    '{"level":"debug","time":"2026-03-01T12:00:00.042Z","msg":"small"}\n',
    '{"level":"info","time":"2026-03-01T12:00:00.042Z","count":1,"none":null,"list":["a"],"msg":"text with \\"quotes\\"\\nand a line"}\n',
  ]);
});

test('lines below the level are not written', () => {
  const lines = createLines();
  const log = createLogger({ level: 'warn', clock: frozenClock, destination: lines });
  log.debug({}, 'debug');
  log.info({}, 'info');
  log.warn({}, 'warn');
  log.error({}, 'error');
  expect(lines.objects()).toMatchObject([{ level: 'warn' }, { level: 'error' }]);
});

test('warnings and errors do not wait in the buffer', () => {
  const lines = createLines();
  const log = createLogger({ level: 'info', clock: frozenClock, destination: lines });
  log.info({}, 'info');
  expect(lines.flushes()).toBe(0);
  log.warn({}, 'warn');
  log.error({}, 'error');
  expect(lines.flushes()).toBe(2);
});

test('the time is right across seconds, also when the clock goes back', () => {
  let now = Date.UTC(2026, 11, 31, 23, 59, 59, 999);
  const time = compileIsoTime({ now: () => now, monotonic: () => 0 });
  const times = [0, 1, 1, 6, -5000, 0.7].map((step) => {
    now += step;
    return [time(), new Date(now).toISOString()];
  });
  expect(times.map(([ours]) => ours)).toEqual(times.map(([, theirs]) => theirs));
});
