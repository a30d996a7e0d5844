import { expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { shutDownInStages, type ShutdownStages } from '../../../src/runtime/shutdown.ts';
import { createKeptLog, createManualTimers, settle, type KeptLog, type ManualTimers } from './runtime-fixtures.ts';

interface Run {
  readonly events: string[];
  readonly timers: ManualTimers;
  readonly logger: KeptLog;
  readonly isDone: () => boolean;
}

function run(overrides: (events: string[]) => Partial<ShutdownStages> = () => ({}), delayMs = 5000): Run {
  const events: string[] = [];
  const timers = createManualTimers();
  const logger = createKeptLog();
  let done = false;
  const stages: ShutdownStages = {
    announce: () => void events.push('announce'),
    drain: (timeoutMs) => {
      events.push(`drain ${timeoutMs}`);
      return Promise.resolve('drained');
    },
    close: [
      () => void events.push('close http'),
      () => Promise.resolve(events.push('close source')).then(() => undefined),
    ],
    ...overrides(events),
  };
  const whole = async (): Promise<void> => {
    await shutDownInStages(stages, { delayMs, timeoutMs: 20_000, timers, logger });
    done = true;
  };
  void whole();
  return { events, timers, logger, isDone: () => done };
}

test('announces at once, serves on for the delay, then drains, then closes in order', async () => {
  const { events, timers, isDone } = run();
  await settle();
  expect([events, timers.pending(), isDone()]).toEqual([['announce'], [5000], false]);
  await timers.fire(5000);
  expect(events).toEqual(['announce', 'drain 20000', 'close http', 'close source']);
  expect([isDone(), timers.pending()]).toEqual([true, []]);
});

test('without a delay it drains at once', async () => {
  const { events, isDone } = run(undefined, 0);
  await settle();
  expect([events.slice(0, 2), isDone()]).toEqual([['announce', 'drain 20000'], true]);
});

test('nothing is closed while requests are in flight', async () => {
  const drained = Promise.withResolvers<'drained'>();
  const { events, isDone } = run(() => ({ drain: () => drained.promise }), 0);
  await settle();
  expect([events, isDone()]).toEqual([['announce'], false]);
  drained.resolve('drained');
  await settle();
  expect([events, isDone()]).toEqual([['announce', 'close http', 'close source'], true]);
});

test('a drain that does not keep its own limit is left behind', async () => {
  const { events, timers, logger, isDone } = run(() => ({ drain: () => new Promise(() => undefined) }), 0);
  await settle();
  await timers.fire(23_000);
  expect([events, isDone()]).toEqual([['announce', 'close http', 'close source'], true]);
  expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([
    { level: 'warn', message: 'a stage of the shutdown did not end in time', stage: 'drain', limitMs: 23_000 },
  ]);
});

test('stages that fail are logged and keep nothing from the next', async () => {
  const fail = (): never => {
    throw new Failure('broken', 'it broke');
  };
  const { events, logger, isDone } = run(
    (events) => ({
      announce: fail,
      drain: () => Promise.reject(new Failure('broken', 'it broke')),
      close: [fail, () => void events.push('closed')],
    }),
    0,
  );
  await settle();
  expect([events, isDone()]).toEqual([['closed'], true]);
  expect(logger.lines.filter(({ level }) => level === 'error').map(({ stage }) => stage)).toEqual([
    'announce',
    'drain',
    'close',
  ]);
});
