import { Worker } from 'node:worker_threads';
import { Failure, messageOf } from '../core/failure.ts';
import type { PasswordChecker } from '../core/ports.ts';
import type { PasswordAnswer, PasswordTask } from './password-task.ts';

/** Threads for hashes of passwords. One starts with the first password that finds the others at work, and stays. */
export interface PasswordThreads extends PasswordChecker {
  /** Ends the threads; whoever waits gets a Failure. */
  close(): void;
}

/** As its neighbour is written: the sources run as they are, and compiled. */
const ownProgram = new URL(
  import.meta.url.endsWith('.ts') ? './password-worker.ts' : './password-worker.js',
  import.meta.url,
);
/** A thread does no more than compute; what argon2 and scrypt fill is not of its heap. */
const maxHeapMb = 32;

interface Job extends PasswordTask {
  readonly resolve: (matches: boolean) => void;
  readonly reject: (failure: Failure) => void;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
}

/** At most `threads` of them, which run `program`. Nothing bounds how many passwords wait here: the providers do. */
export function createPasswordThreads({
  threads: most,
  program = ownProgram,
}: {
  readonly threads: number;
  readonly program?: URL;
}): PasswordThreads {
  const threads = new Set<Thread>();
  const waiting: Job[] = [];
  let closed = false;

  const start = (): Thread => {
    const thread = startThread(program, (ended) => {
      if (ended) threads.delete(thread);
      goOn();
    });
    threads.add(thread);
    return thread;
  };
  const idle = (): Thread | undefined => {
    const free = [...threads].find(({ job }) => job === undefined);
    return free ?? (threads.size < most && !closed ? start() : undefined);
  };
  const goOn = (): void => {
    while (waiting.length > 0) {
      const thread = idle();
      if (thread === undefined) return;
      const job = waiting.shift();
      thread.job = job;
      // A command that has nothing else to do waits for its answer.
      thread.worker.ref();
      thread.worker.postMessage({ hash: job?.hash, password: job?.password });
    }
  };
  return {
    matches: (hash, password) => {
      const { promise, resolve, reject } = Promise.withResolvers<boolean>();
      if (closed) reject(new Failure('password_thread', 'the threads for passwords have ended'));
      else {
        waiting.push({ hash, password, resolve, reject });
        goOn();
      }
      return promise;
    },
    close: () => {
      closed = true;
      for (const { reject } of waiting.splice(0)) reject(new Failure('password_thread', 'the threads have ended'));
      for (const { worker } of threads) void worker.terminate();
    },
  };
}

/** `onFree` is called when it has answered, or ended and failed who waited for it. */
function startThread(program: URL, onFree: (ended: boolean) => void): Thread {
  const worker = new Worker(program, { resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } });
  const thread: Thread = { worker, job: undefined };
  const takeJob = (): Job | undefined => {
    const { job } = thread;
    thread.job = undefined;
    return job;
  };
  const end = (thrown: unknown): void => {
    takeJob()?.reject(new Failure('password_thread', `a thread for passwords has ended: ${messageOf(thrown)}`));
    onFree(true);
  };
  worker.on('message', (answer: PasswordAnswer) => {
    const job = takeJob();
    worker.unref();
    if ('matches' in answer) job?.resolve(answer.matches);
    else job?.reject(new Failure('password_hash', `a hash could not be computed: ${answer.failed}`));
    onFree(false);
  });
  worker.on('error', end).on('exit', () => end(new Error('it stopped')));
  worker.unref();
  return thread;
}
