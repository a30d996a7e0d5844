// One at a time, across processes: two npm scripts started together must not install into one folder.
import { createHash } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

const POLL_MS = 200;

function sleep(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** True where the process lives (one that we may not signal does). */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** The process id in the lock file; undefined where the file has gone. */
function holderOf(lock) {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A link is made with its content or not at all, so nobody reads a lock without a holder. */
function tryTake(lock, mine) {
  try {
    linkSync(mine, lock);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Takes away the lock of a process that has died, and gives it back where somebody else was faster. */
function removeStale(lock, mine) {
  const aside = `${mine}.stale`;
  try {
    renameSync(lock, aside);
  } catch {
    return;
  }
  if (isAlive(holderOf(aside))) tryTake(lock, aside);
  rmSync(aside, { force: true });
}

/** Answers what the action does, called while no other process is inside for the same folder; waits for the one that is. The lock of a dead process does not count. */
export function withLock(root, action) {
  const name = createHash('sha256').update(`${userInfo().username}\0${root}`).digest('hex').slice(0, 16);
  const lock = join(tmpdir(), `portcullis-setup-${name}.lock`);
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  let told = false;
  try {
    while (!tryTake(lock, mine)) {
      const holder = holderOf(lock);
      if (holder === undefined) continue;
      if (!isAlive(holder)) {
        removeStale(lock, mine);
        continue;
      }
      if (!told) console.error(`Waiting for another setup (process ${holder}) …`);
      told = true;
      sleep(POLL_MS);
    }
    try {
      return action();
    } finally {
      rmSync(lock, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}
