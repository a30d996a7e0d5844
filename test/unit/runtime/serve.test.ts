import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { loadConfig } from '../../../src/runtime/config/load-config.ts';
import type { Config } from '../../../src/runtime/config/settings.ts';
import type { RunningService, ServiceIo } from '../../../src/runtime/running-service.ts';
import { serve } from '../../../src/runtime/serve.ts';
import { createSystemServiceIo } from '../../../src/runtime/system-service-io.ts';
import { createFakeProcess, emptyStatus, settle } from './runtime-fixtures.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-serve-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function prepare(
  name: string,
): Promise<{ config: Config; io: ServiceIo; linesOf: () => Promise<readonly unknown[]> }> {
  const resolved = await loadConfig(new Map([['--policies', ['policies']]]), {});
  if (!resolved.ok) throw new Error('the settings are valid');
  const path = join(folder, name);
  const io = createSystemServiceIo(resolved.config, { version: '1.2.3', logTo: path, processMetrics: false });
  const linesOf = async (): Promise<readonly unknown[]> => {
    await io.observation.close();
    const text = await readFile(path, 'utf8');
    return text
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
  };
  return { config: resolved.config, io, linesOf };
}

function fakeService(events: string[]): RunningService {
  return {
    grpcAddress: '0.0.0.0:9001',
    httpAddress: '0.0.0.0:9002',
    adminAddress: undefined,
    ready: Promise.resolve(),
    status: () => emptyStatus,
    stop: () => {
      events.push('stop');
      return Promise.resolve();
    },
  };
}

test('serves until a signal, then stops in order, and every line of it is in the log', async () => {
  const { config, io, linesOf } = await prepare('signal.log');
  const process = createFakeProcess();
  const events: string[] = [];
  const warnings = [
    {
      code: 'unknown-field',
      severity: 'warning',
      message: 'odd',
      field: '',
      place: { source: 'config.yaml', line: 2, column: 1 },
    },
  ] as const;
  const served = serve({
    config,
    everythingIsLoaded: () => undefined,
    warnings,
    version: '1.2.3',
    startService: async () => fakeService(events),
    process,
    io,
  });
  await settle();
  expect(events).toEqual([]);
  process.emit('SIGTERM');
  await served;
  expect([events, process.exits, process.listeners()]).toEqual([['stop'], [], []]);
  expect(await linesOf()).toMatchObject([
    { level: 'warn', code: 'unknown-field', place: 'config.yaml:2:1', msg: 'odd' },
    {
      level: 'info',
      version: '1.2.3',
      grpcAddress: '0.0.0.0:9001',
      transport: 'native',
      httpAddress: '0.0.0.0:9002',
      policies: 'policies',
      msg: 'serving',
    },
    { level: 'info', signal: 'SIGTERM', delayMs: 5000, timeoutMs: 20_000, msg: 'stopping' },
    { level: 'info', msg: 'stopped' },
  ]);
});

test('a second signal is in the log before it ends the process', async () => {
  const { config, io, linesOf } = await prepare('forced.log');
  const process = createFakeProcess();
  let now = 0;
  const stopped = Promise.withResolvers<undefined>();
  const served = serve({
    config,
    everythingIsLoaded: () => undefined,
    warnings: [],
    version: '1',
    startService: async () => ({ ...fakeService([]), stop: () => stopped.promise }),
    process,
    io: { ...io, clock: { ...io.clock, monotonic: () => now } },
  });
  await settle();
  process.emit('SIGINT');
  await settle();
  process.emit('SIGINT');
  expect(process.exits).toEqual([]);
  now = 500;
  process.emit('SIGTERM');
  expect(process.exits).toEqual([143]);
  stopped.resolve(undefined);
  await served;
  expect(await linesOf()).toContainEqual(
    expect.objectContaining({ level: 'warn', signal: 'SIGTERM', msg: expect.stringMatching(/^a second signal/) }),
  );
});

test('a service that cannot start is the Failure it threw, and no listener is left', async () => {
  const { config, io } = await prepare('failure.log');
  const process = createFakeProcess();
  const failure = new Failure('address_in_use', '0.0.0.0:9001 is in use');
  const served = serve({
    config,
    everythingIsLoaded: () => undefined,
    warnings: [],
    version: '1',
    startService: () => Promise.reject(failure),
    process,
    io,
  });
  await expect(served).rejects.toBe(failure);
  expect(process.listeners()).toEqual([]);
  await io.observation.close();
});

test('an uncaught error is counted in the metrics and ends nothing', async () => {
  const { config, io } = await prepare('uncaught.log');
  const process = createFakeProcess();
  const events: string[] = [];
  const served = serve({
    config,
    everythingIsLoaded: () => undefined,
    warnings: [],
    version: '1',
    startService: async () => fakeService(events),
    process,
    io,
  });
  await settle();
  process.emit('uncaughtException', new TypeError('bug'));
  await settle();
  expect([events, process.exits]).toEqual([[], []]);
  expect((await io.observation.metrics.expose()).text).toContain(
    'portcullis_uncaught_errors_total{kind="exception"} 1\n',
  );
  process.emit('SIGINT');
  await served;
  await io.observation.close();
});
