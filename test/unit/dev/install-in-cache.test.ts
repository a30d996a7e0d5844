import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder, installInCache, type CacheInstall } from '../../../src/dev/install-in-cache.ts';

describe('an install in the cache', () => {
  let cache: string;
  let lines: string[];

  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'portcullis-unit-'));
    lines = [];
  });
  afterEach(() => rm(cache, { recursive: true, force: true }));

  const install = (options: Partial<CacheInstall> = {}): Promise<string> =>
    installInCache({
      finished: join(cache, 'thing-1'),
      file: 'thing',
      announcement: 'Bringing thing …',
      progress: (line) => lines.push(line),
      fill: (folder) => writeFile(join(folder, 'thing'), 'x'),
      unavailable: (why) => new Error(why),
      ...options,
    });

  it('is announced, whole, and leaves nothing else', async () => {
    expect(await install()).toBe(join(cache, 'thing-1', 'thing'));
    expect([lines, await readdir(cache)]).toEqual([['Bringing thing …'], ['thing-1']]);
  });

  it('is not seen where it fails, and the reason is told', async () => {
    await expect(install({ fill: () => Promise.reject(new Error('no network')) })).rejects.toThrow('no network');
    expect(await readdir(cache)).toEqual([]);
  });

  it('is done once where another process is at it, and that one is waited for', async () => {
    const other = spawn('sleep', ['30']);
    const unfinished = join(cache, `thing-1.unfinished-${other.pid}-abc`);
    await mkdir(unfinished);
    const path = install({ fill: () => Promise.reject(new Error('done twice')) });
    await expect.poll(() => lines).toEqual([`Waiting for process ${other.pid}, which brings thing-1 …`]);
    await mkdir(join(cache, 'thing-1'));
    await writeFile(join(cache, 'thing-1', 'thing'), 'x');
    await rm(unfinished, { recursive: true });
    expect(await path).toBe(join(cache, 'thing-1', 'thing'));
    other.kill();
  });

  it('goes on where the other process died', async () => {
    const other = spawn('sleep', ['30']);
    await mkdir(join(cache, `thing-1.unfinished-${other.pid}-abc`));
    const path = install();
    await expect.poll(() => lines.length).toBe(1);
    other.kill('SIGKILL');
    expect(existsSync(await path)).toBe(true);
    expect(lines.at(-1)).toBe('Bringing thing …');
  });
});

it('the cache is where XDG says, else in the home', () => {
  expect([
    cacheFolder({ XDG_CACHE_HOME: '/x', HOME: '/home/a' }),
    cacheFolder({ XDG_CACHE_HOME: '', HOME: '/home/a' }),
    cacheFolder({ HOME: '/home/a' }),
  ]).toEqual(['/x/portcullis', '/home/a/.cache/portcullis', '/home/a/.cache/portcullis']);
});
