import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

function start(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env: {} }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

test('the program runs as a process of its own', async () => {
  const { code, stdout, stderr } = await start('version', '-o', 'json');
  expect([code, stderr, JSON.parse(stdout)]).toEqual([
    0,
    '',
    { version: expect.any(String), node: process.versions.node },
  ]);
});

test('its exit code is the command’s', async () => {
  expect(await start('serve')).toEqual({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^portcullis: --policies: error: .*\n$/),
  });
});
