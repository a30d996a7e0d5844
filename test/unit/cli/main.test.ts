import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const start = (...args: readonly string[]): Promise<Run> => run([main, ...args]);

function run(args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: {} }, (error, stdout, stderr) => {
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

test('what is wrong with a document is said on stdout; the YAML parser writes nothing of its own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-main-'));
  try {
    const file = join(folder, 'p.yaml');
    await writeFile(file, 'kind: Thing\n? [canary-5f1c]\n: x\n');
    const { code, stdout, stderr } = await start('validate', file);
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).toContain('p.yaml:2:3: error: not well-formed YAML: a key is a list, a map or an alias');
    expect(stdout).not.toContain('canary');
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe('on a Node that is too old', () => {
  /** Node says that it is of that version. */
  const pretend = (version: string): string =>
    `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`;

  test.each([[['version']], [['serve', '--policies', 'p']], [['help']], [[]]])(
    '%j is one line that says so',
    async (command) => {
      expect(await run(['--import', pretend('20.20.2'), main, ...command])).toEqual({
        code: 2,
        stdout: '',
        stderr:
          'Portcullis needs Node 24.7 or later; this is 20.20.2. A clone has one: node_modules/.bin/node dist/main.js …\n',
      });
    },
  );

  test.each(['24.0.0', '24.6.9', '23.11.0'])('%s is, without crypto.argon2', async (version) => {
    expect(await run(['--import', pretend(version), main, 'version'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(`needs Node 24.7 or later; this is ${version}.`),
    });
  });

  test.each(['24.7.0', '24.10.0', '25.0.0', '100.1.0'])('%s is not', async (version) => {
    expect(await run(['--import', pretend(version), main, 'version'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`(node ${version})`),
    });
  });

  test('nothing else is loaded before the version is judged', async () => {
    const source = await readFile(main, 'utf8');
    expect(source.match(/^(?:import|export) (?!type ).*$/gm)).toBeNull();
  });
});
