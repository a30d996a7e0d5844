import { spawn } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createLogDestination } from '../../../src/runtime/log-destination.ts';
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

test('lines as text and as bytes keep their order, also while chunks before them are being written', async () => {
  const path = join(folder, 'mixed.log');
  const destination = createLogDestination({ to: path, onDrop: () => undefined, timers, flushEveryMs: 60_000 });
  // Some are longer than a chunk, and some have more bytes than characters.
  const lines = Array.from(
    { length: 4000 },
    (_, i) => `${i} ${'ü'.repeat(i % 97)}${'x'.repeat(i % 1500 === 0 ? 70_000 : i % 150)}\n`,
  );
  const kept = Buffer.alloc(80_000);
  for (const [i, line] of lines.entries()) {
    if (i % 3 === 0) destination.write(line);
    else destination.append(kept.subarray(0, kept.write(line)));
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await destination.close();
  expect((await readFile(path, 'utf8')).split('\n')).toEqual(lines.join('').split('\n'));
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

/** Runs a module in a process of its own, whose standard output is read or not, or closed at this end. */
function runModule(
  code: string,
  read: boolean,
  close = false,
): Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }> {
  const from = (path: string): string => JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href);
  const imports = `import { createLogDestination } from ${from('runtime/log-destination.ts')};
import { systemTimers as timers } from ${from('runtime/system-ports.ts')};\n`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', imports + code]);
  const texts = { stdout: '', stderr: '' };
  if (close) child.stdout.destroy();
  if (read) child.stdout.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    texts.stderr += chunk.toString();
    // Once it has said what it found it may end, which a write that nobody reads would keep it from.
    child.stdout.destroy();
  });
  return new Promise((resolve) => {
    child.on('close', (exitCode) => resolve({ exitCode, ...texts }));
  });
}

test('what is buffered when the process exits is written', async () => {
  const code = `const log = createLogDestination({ to: 1, onDrop: () => {}, timers });
    log.write('one\\n');
    log.write('two\\n');
    process.exit(3);`;
  expect(await runModule(code, true)).toEqual({ exitCode: 3, stdout: 'one\ntwo\n', stderr: '' });
});

test('a reader that stands still costs lines, not memory without end, and close waits for it only a second', async () => {
  const code = `let dropped = 0;
    const log = createLogDestination({ to: 1, onDrop: (lines) => (dropped += lines), timers });
    for (let i = 0; i < 300_000; i++) log.write('x'.repeat(99) + '\\n');
    const start = performance.now();
    const keepAlive = setInterval(() => {}, 50);
    await log.close();
    clearInterval(keepAlive);
    const waited = performance.now() - start;
    console.error(dropped > 100_000 && dropped < 200_000 && waited > 900 && waited < 2000);`;
  expect(await runModule(code, false)).toMatchObject({ exitCode: 0, stderr: 'true\n' });
});

test('a reader that is gone costs lines and nothing else', async () => {
  const code = `let dropped = 0;
    const log = createLogDestination({ to: 1, onDrop: (lines) => (dropped += lines), timers });
    const gone = setInterval(async () => {
      log.write('one\\n');
      log.flush();
      if (dropped < 3) return;
      clearInterval(gone);
      await log.close();
      console.error('still here');
    }, 10);`;
  expect(await runModule(code, false, true)).toMatchObject({ exitCode: 0, stderr: 'still here\n' });
});

/** What three processes wrote to the same place, thousands of lines each, at the same time. */
async function writtenTogether(redirection: string, file: string): Promise<string> {
  const writer = `
    import { createLogDestination } from './src/runtime/log-destination.ts';
    import { systemTimers as timers } from './src/runtime/system-ports.ts';
    const destination = createLogDestination({ to: 1, onDrop: () => {}, timers, isShared: true });
    const name = process.argv[1];
    for (let i = 0; i < 4000; i++) destination.write(name + ' ' + String(i) + ' ' + name.repeat(i % 900) + '\\n');
    await destination.close();
  `;
  const script = `(for name in a b c; do "$0" --input-type=module -e "$1" $name & done; wait) ${redirection}`;
  const child = spawn('sh', ['-c', script, process.execPath, writer], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, FILE: file },
  });
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  return text;
}

test.each([
  ['a socket', ''],
  ['a pipe', '| cat'],
  ['a pipe whose reader comes late', '| (sleep 0.5; cat)'],
  ['a file', '> "$FILE"; cat "$FILE"'],
])(
  'lines of several processes are not torn on %s',
  async (_kind, redirection) => {
    const text = await writtenTogether(redirection, join(folder, 'together.log'));
    const lines = text.trimEnd().split('\n');
    const numbers = new Map<string, number[]>();
    const torn = lines.filter((line) => {
      const [name = '', number = '', rest = ''] = line.split(' ');
      numbers.set(name, [...(numbers.get(name) ?? []), Number(number)]);
      return !/^[abc]$/.test(name) || rest !== name.repeat(Number(number) % 900);
    });
    expect([lines.length, torn]).toEqual([12_000, []]);
    // In the order in which each has written them.
    const inOrder = Array.from({ length: 4000 }, (_line, index) => index);
    expect(['a', 'b', 'c'].map((name) => numbers.get(name))).toEqual([inOrder, inOrder, inOrder]);
  },
  30_000,
);
