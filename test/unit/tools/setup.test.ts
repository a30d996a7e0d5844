import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findMissing, isRightNode } from '../../tools/setup.mjs';

const lockModule = fileURLToPath(new URL('../../tools/setup-lock.mjs', import.meta.url));
let root: string;

const write = async (path: string, value: unknown): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), typeof value === 'string' ? value : JSON.stringify(value));
};
const here = { os: [process.platform], cpu: [process.arch] };
const wanted = {
  '': { name: 'x' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/a/node_modules/b': { version: '2.0.0', integrity: 'sha512-b' },
};

/** A tree where all is there, and what the test changes of it. */
async function tree(packages: object, installed: object): Promise<void> {
  await write('package-lock.json', { packages });
  for (const path of Object.keys(installed)) await write(`${path}/package.json`, {});
  await write('node_modules/.package-lock.json', { packages: installed });
}
const complete = Object.fromEntries(Object.entries(wanted).filter(([path]) => path !== ''));

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'portcullis-unit-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('what is missing in node_modules', () => {
  it('is nothing where every package of the lock file is there', async () => {
    await tree(wanted, complete);
    expect(findMissing(root)).toBe(undefined);
  });

  it('is all of it where an install was cut off before npm wrote its own lock file', async () => {
    await tree(wanted, complete);
    await rm(join(root, 'node_modules/.package-lock.json'));
    expect(findMissing(root)).toBe('node_modules');
    await write('node_modules/.package-lock.json', '{"packages": {');
    expect(findMissing(root)).toBe('node_modules');
  });

  it('is a package that was never installed, is of another version or content, or was deleted', async () => {
    const a = 'node_modules/a';
    await tree({ ...wanted, 'node_modules/c': { version: '1.0.0' } }, complete);
    expect(findMissing(root)).toBe('node_modules/c');
    await tree({ ...wanted, [a]: { version: '1.0.1', integrity: 'sha512-a' } }, complete);
    expect(findMissing(root)).toBe(a);
    await tree({ ...wanted, [a]: { version: '1.0.0', integrity: 'sha512-other' } }, complete);
    expect(findMissing(root)).toBe(a);
    await tree(wanted, complete);
    await rm(join(root, 'node_modules/a/node_modules/b'), { recursive: true });
    expect(findMissing(root)).toBe('node_modules/a/node_modules/b');
  });

  it('is an optional package only where it is for this machine', async () => {
    const optional = { version: '1.0.0', optional: true };
    await tree({ ...wanted, 'node_modules/c': { ...optional, os: ['plan9'], cpu: [process.arch] } }, complete);
    expect(findMissing(root)).toBe(undefined);
    await tree({ ...wanted, 'node_modules/c': { ...optional, ...here, libc: ['musl'] } }, complete);
    expect(findMissing(root)).toBe(undefined);
    await tree({ ...wanted, 'node_modules/c': { ...optional, ...here } }, complete);
    expect(findMissing(root)).toBe('node_modules/c');
  });
});

it('a Node that is right has argon2: 24.7 and newer', () => {
  const versions = ['20.20.2', '24.0.0', '24.6.9', '24.7.0', '24.21.0', '25.0.0', '26.1.0'];
  expect(versions.filter(isRightNode)).toEqual(['24.7.0', '24.21.0', '25.0.0', '26.1.0']);
});

describe('the lock of the setup', () => {
  /** Another process that takes the lock, writes `in` and `out` around its work, and ends; answers its exit code. */
  const worker = (log: string, work = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);') => {
    const code = `
      import { withLock } from ${JSON.stringify(lockModule)};
      import { appendFileSync } from 'node:fs';
      withLock(${JSON.stringify(root)}, () => {
        appendFileSync(${JSON.stringify(log)}, 'in ');
        ${work}
        appendFileSync(${JSON.stringify(log)}, 'out ');
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      stdio: 'ignore',
      env: { ...process.env, TMPDIR: root },
    });
    return new Promise<number | null>((resolve) => {
      child.once('exit', resolve);
    });
  };

  it('lets one in at a time', async () => {
    const log = join(root, 'log');
    expect(await Promise.all([worker(log), worker(log), worker(log)])).toEqual([0, 0, 0]);
    expect(await readFile(log, 'utf8')).toBe('in out in out in out ');
  });

  it('is not held by a process that has died inside', async () => {
    const log = join(root, 'log');
    expect(await worker(log, `process.kill(process.pid, 'SIGKILL');`)).toBe(null);
    expect(await Promise.all([worker(log), worker(log)])).toEqual([0, 0]);
    expect(await readFile(log, 'utf8')).toBe('in in out in out ');
  });
});
