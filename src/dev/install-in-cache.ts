import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../core/failure.ts';
import { isAlive } from './is-alive.ts';

/** An unfinished install older than this was given up. */
const abandonedMs = 3_600_000;
const pollMs = 250;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface CacheInstall {
  /** The folder to be, in the cache. */
  readonly finished: string;
  /** The path below it of the file without which it is not whole. */
  readonly file: string;
  /** Told before the work starts. */
  readonly announcement: string;
  readonly progress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Fills the folder that it is given; it throws where the file would not be right. */
  fill(folder: string): Promise<void>;
  /** What to throw where the cache cannot be written. */
  unavailable(why: string, cause: unknown): Error;
}

/** The folder outside any checkout where downloaded parts are kept: `$XDG_CACHE_HOME/portcullis`, else `~/.cache/portcullis`. */
export function cacheFolder(environment: Environment): string {
  const base = environment['XDG_CACHE_HOME'];
  if (base !== undefined && base !== '') return join(base, 'portcullis');
  return join(environment['HOME'] ?? homedir(), '.cache', 'portcullis');
}

/**
 * The path of the file, after an install where there is none. Safe to call again and at the same time: a process that is at it is
 * waited for, and an install becomes visible by one rename, when it is whole.
 */
export async function installInCache(install: CacheInstall): Promise<string> {
  const { finished, progress, announcement } = install;
  const path = join(finished, install.file);
  let folder: string;
  try {
    await mkdir(dirname(finished), { recursive: true });
    await removeAbandoned(dirname(finished));
    await waitForOthers(install);
    if (existsSync(path)) return path;
    progress(announcement);
    folder = await mkdtemp(`${finished}.unfinished-${process.pid}-`);
  } catch (error) {
    if (install.signal?.aborted === true) throw error;
    throw unwritable(install, error);
  }
  try {
    await install.fill(folder);
    await publish(folder, install);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return path;
}

function unwritable(install: CacheInstall, error: unknown): Error {
  return install.unavailable(`the cache folder cannot be written: ${messageOf(error)}`, error);
}

/** Where another process was faster, its install is taken and ours dropped. */
async function publish(folder: string, install: CacheInstall): Promise<void> {
  try {
    await rename(folder, install.finished);
  } catch (error) {
    if (!existsSync(join(install.finished, install.file))) throw unwritable(install, error);
  }
}

async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.includes('.unfinished-')) continue;
    const path = join(cache, name);
    // One that goes away while we look is somebody's that finishes.
    const changed = await stat(path)
      .then((about) => about.mtimeMs)
      .catch(() => Date.now());
    if (Date.now() - changed > abandonedMs) await rm(path, { recursive: true, force: true });
  }
}

/** Two that start in the same moment do not see each other: then both work, and the faster one's install is taken. */
async function waitForOthers({ finished, progress, signal }: CacheInstall): Promise<void> {
  let told = false;
  for (;;) {
    const others = await othersAt(finished);
    if (others.length === 0) return;
    if (!told) progress(`Waiting for process ${others.join(', ')}, which brings ${basename(finished)} …`);
    told = true;
    await delay(pollMs, undefined, { signal });
  }
}

/** The living processes that are at the same install. */
async function othersAt(finished: string): Promise<readonly number[]> {
  const head = `${basename(finished)}.unfinished-`;
  const names = (await readdir(dirname(finished))).filter((name) => name.startsWith(head));
  return names.map((name) => Number.parseInt(name.slice(head.length), 10)).filter((pid) => isAlive(pid));
}
