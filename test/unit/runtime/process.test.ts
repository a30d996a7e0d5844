import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { guardProcess } from '../../../src/runtime/process-guard.ts';
import { watchStopSignals } from '../../../src/runtime/process-signals.ts';
import { createFakeProcess, createKeptLog, settle } from './runtime-fixtures.ts';

const clock = { monotonic: () => 0 };

describe('signals', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('the first %s asks to stop and ends nothing', async (signal) => {
    const process = createFakeProcess();
    const { first } = watchStopSignals({ process, clock });
    process.emit(signal);
    expect([await first, process.exits]).toEqual([signal, []]);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('a second signal, %s, is told and ends the process at once with %d', (signal, code) => {
    const process = createFakeProcess();
    const events: unknown[] = [];
    let now = 1000;
    watchStopSignals({
      process: { ...process, exit: (exitCode) => void events.push(exitCode) },
      clock: { monotonic: () => now },
      onForced: (forced) => void events.push(forced),
    });
    process.emit('SIGTERM');
    now += 500;
    process.emit(signal);
    expect(events).toEqual([signal, code]);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'a second signal, %s, within half a second is an echo and nothing',
    (signal) => {
      const process = createFakeProcess();
      const told: string[] = [];
      let now = 1000;
      watchStopSignals({ process, clock: { monotonic: () => now }, onForced: (forced) => void told.push(forced) });
      process.emit('SIGINT');
      now += 499;
      process.emit(signal);
      expect([process.exits, told]).toEqual([[], []]);
    },
  );

  test('close takes every listener off', () => {
    const process = createFakeProcess();
    watchStopSignals({ process, clock }).close();
    expect(process.listeners()).toEqual([]);
  });
});

describe('what nothing caught', () => {
  test('is logged and counted, and the process goes on', async () => {
    const process = createFakeProcess();
    const logger = createKeptLog();
    const kinds: string[] = [];
    const unguard = guardProcess({ process, logger, onUncaught: (kind) => kinds.push(kind) });
    process.emit('uncaughtException', new Failure('broken', 'a message of ours'));
    process.emit('unhandledRejection', new SyntaxError('Unexpected token e, "canary-5f1c" is not valid JSON'));
    process.emit('unhandledRejection', 'canary-5f1c');
    await settle();
    expect([kinds, process.exits]).toEqual([['exception', 'rejection', 'rejection'], []]);
    expect(logger.lines).toMatchObject([
      { level: 'error', kind: 'exception', error: 'broken', reason: 'a message of ours' },
      { level: 'error', kind: 'rejection', error: 'SyntaxError' },
      { level: 'error', kind: 'rejection', error: 'string' },
    ]);
    // Messages of others may quote what they stumbled over.
    expect(JSON.stringify(logger.lines)).not.toContain('canary');
    unguard();
    expect(process.listeners()).toEqual([]);
  });
});
