import { Worker } from 'node:worker_threads';
import { Failure, messageOf } from '../core/failure.ts';
import type { Timers } from '../core/ports.ts';
import type { ParseSettings } from '../policy/parse-document.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import { fromMessage, type DocumentMessage, type ReadingTask } from './document-message.ts';

/** Reads texts in a thread of its own, so that requests do not wait for a large one. */
export interface DocumentThread {
  /** Throws a Failure for a text that takes more time or memory than any policy does. One at a time. */
  read(source: string, text: string): Promise<readonly AuthorDocument[]>;
  /** Ends the thread; the next text starts another one. */
  close(): void;
}

/** A megabyte takes one to ten seconds where it is made to. */
const maxReadingMs = 60_000;
/** A thread takes some thirty megabytes: it is not kept for a text that may never come. */
const idleMs = 10_000;
/** A text of the largest size takes half of it. */
const maxHeapMb = 512;
/** As its neighbour is written: the sources run as they are, and compiled. */
const program = new URL(
  import.meta.url.endsWith('.ts') ? './document-worker.ts' : './document-worker.js',
  import.meta.url,
);

export function createDocumentThread(timers: Timers, settings: ParseSettings): DocumentThread {
  let worker: Worker | undefined;
  let cancelIdle = (): void => undefined;
  const close = (): void => {
    cancelIdle();
    void worker?.terminate();
    worker = undefined;
  };
  const start = (): Worker => {
    const started = new Worker(program, { resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } });
    // What ends it between two texts is told by the next one.
    started.on('error', () => {}).unref();
    return started;
  };
  return {
    close,
    read: async (source, text) => {
      cancelIdle();
      worker ??= start();
      try {
        const documents = await readIn(worker, timers, { source, text, settings });
        cancelIdle = timers.after(idleMs, close);
        return documents;
      } catch (thrown) {
        close();
        throw thrown;
      }
    },
  };
}

function readIn(worker: Worker, timers: Timers, task: ReadingTask): Promise<readonly AuthorDocument[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly AuthorDocument[]>();
  const documents: AuthorDocument[] = [];
  const take = (message: DocumentMessage | null): void => {
    if (message === null) resolve(documents);
    else documents.push(fromMessage(message, task.settings));
  };
  const fail = (thrown: unknown): void =>
    reject(new Failure('file_too_dear', `the file cannot be read: ${messageOf(thrown)}`, { cause: thrown }));
  const end = (): void => fail(new Error('its thread has ended'));
  const cancel = timers.after(maxReadingMs, () => fail(new Error('it takes too long')));
  worker.on('message', take).on('error', fail).on('exit', end);
  worker.postMessage(task);
  return promise.finally(() => {
    cancel();
    worker.off('message', take).off('error', fail).off('exit', end);
  });
}
