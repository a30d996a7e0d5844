import { expect, test } from 'vitest';
import type { DevOptions, RunDev } from '../../../src/cli/cli-io.ts';
import { createFakeProcess } from '../runtime/runtime-fixtures.ts';
import { run } from './cli-fixtures.ts';

test.each<readonly [readonly string[], DevOptions]>([
  [[], { once: false, envoy: true, port: 0 }],
  [['--once'], { once: true, envoy: true, port: 0 }],
  [['--no-envoy', '--port', '8080'], { once: false, envoy: false, port: 8080 }],
])('dev %j asks for %j', async (args, expected) => {
  const asked: DevOptions[] = [];
  const runDev: RunDev = (options) => {
    asked.push(options);
    return Promise.resolve(0);
  };
  expect((await run(['dev', ...args], { registry: { runDev: () => Promise.resolve(runDev) } })).exitCode).toBe(0);
  expect(asked).toEqual([expected]);
});

test('what the demonstration prints and how it ended is passed on', async () => {
  const runDev: RunDev = (_options, io) => {
    io.print(`PATH is ${io.environment['PATH']}`);
    io.printError('no Envoy');
    return Promise.resolve(1);
  };
  const registry = { runDev: () => Promise.resolve(runDev) };
  expect(await run(['dev'], { registry, env: { PATH: '/bin' } })).toEqual({
    exitCode: 1,
    stdout: 'PATH is /bin\n',
    stderr: 'no Envoy\n',
  });
});

test('a signal tells the demonstration that it is enough', async () => {
  const process = createFakeProcess();
  const runDev: RunDev = (_options, { signal }) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(0));
      process.emit('SIGINT');
    });
  expect((await run(['dev'], { process, registry: { runDev: () => Promise.resolve(runDev) } })).exitCode).toBe(0);
  expect([process.exits, process.listeners()]).toEqual([[], []]);
});
