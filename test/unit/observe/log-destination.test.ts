import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createLogDestination } from '../../../src/observe/log-destination.ts';
import { systemTimers as timers } from '../../../src/runtime/system-ports.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-log-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a single line is written within the interval, without a flush', async () => {
  const path = join(folder, 'interval.log');
  const destination = createLogDestination({ to: path, onDrop: () => undefined, timers, flushEveryMs: 20 });
  destination.write('one\n');
  await vi.waitFor(async () => expect(await readFile(path, 'utf8')).toBe('one\n'));
  await destination.close();
});

test('lines wait in the buffer until there are enough or somebody flushes', async () => {
  const path = join(folder, 'buffer.log');
  const destination = createLogDestination({ to: path, onDrop: () => undefined, timers, flushEveryMs: 60_000 });
  destination.write('one\n');
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(await readFile(path, 'utf8')).toBe('');
  destination.flush();
  await vi.waitFor(async () => expect(await readFile(path, 'utf8')).toBe('one\n'));
  await destination.close();
});

test('close hands over everything, in order', async () => {
  const path = join(folder, 'close.log');
  const destination = createLogDestination({ to: path, onDrop: () => undefined, timers, flushEveryMs: 60_000 });
  const lines = Array.from({ length: 5000 }, (_, index) => `line ${index}\n`);
  for (const line of lines) destination.write(line);
  await destination.close();
  expect(await readFile(path, 'utf8')).toBe(lines.join(''));
});

test('a write that fails costs lines and is told, and nothing is thrown', async () => {
  const file = await open('/dev/full', 'w');
  let dropped = 0;
  const destination = createLogDestination({
    to: file.fd,
    onDrop: (lines) => {
      dropped += lines;
    },
    timers,
    flushEveryMs: 60_000,
  });
  destination.write('one\n');
  destination.flush();
  await vi.waitFor(() => expect(dropped).toBeGreaterThan(0));
  await destination.close();
});
