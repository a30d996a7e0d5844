import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { computeMatch } from './compute-match.ts';
import type { PasswordAnswer, PasswordTask } from './password-task.ts';

/** How far the thread stands back for those that answer requests (nice). */
const niceness = 10;

// On Linux this is of the thread that asks for it; elsewhere it would be of the whole process.
if (process.platform === 'linux') setPriority(0, niceness);

/** The thread's own program. */
parentPort?.on('message', ({ hash, password }: PasswordTask) => {
  parentPort?.postMessage(answer({ hash, password }));
});

function answer({ hash, password }: PasswordTask): PasswordAnswer {
  try {
    return { matches: computeMatch(hash, password) };
  } catch (thrown) {
    return { failed: thrown instanceof Error ? thrown.name : 'unknown' };
  }
}
