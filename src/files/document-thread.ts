import { Worker } from 'node:worker_threads';
import { Failure, messageOf } from '../core/failure.ts';
import type { Timers } from '../core/ports.ts';
import type { ParsedDocument, ParseSettings } from '../policy/parse-document.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import { fromMessage, type DocumentMessage, type ParsingTask, type ReadingTask } from './document-message.ts';

/** Reads texts in a thread of its own, so that requests do not wait for a large one. One at a time. */
export interface DocumentThread {
  /** Throws a Failure for a text that takes more time or memory than any policy does. */
  read(source: string, text: string): Promise<readonly AuthorDocument[]>;
  /** Parses a document out of its JSON, which `text` is. Throws a Failure as `read` does. */
  parse(document: Pick<AuthorDocument, 'source' | 'problems'> & { readonly text: string }): Promise<ParsedDocument>;
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
  const run = async <M>(task: ReadingTask | ParsingTask, take: (message: M) => void): Promise<void> => {
    cancelIdle();
    worker ??= start();
    try {
      await runIn(worker, timers, task, take);
      cancelIdle = timers.after(idleMs, close);
    } catch (thrown) {
      close();
      throw thrown;
    }
  };
  return {
    close,
    read: async (source, text) => {
      const documents: AuthorDocument[] = [];
      const take = (message: DocumentMessage): void => void documents.push(fromMessage(message, settings));
      await run({ kind: 'read', source, text, settings }, take);
      return documents;
    },
    parse: async ({ source, problems, text }) => {
      const answers: ParsedDocument[] = [];
      await run({ kind: 'parse', source, problems, text, settings }, (parsed: ParsedDocument) => answers.push(parsed));
      const [parsed] = answers;
      if (parsed === undefined) throw new Failure('file_too_dear', 'the thread has not answered');
      return parsed;
    },
  };
}

/** Does the task in the thread, which gives its answers one by one. */
function runIn<M>(
  worker: Worker,
  timers: Timers,
  task: ReadingTask | ParsingTask,
  onAnswer: (message: M) => void,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const take = (message: M | null): void => {
    if (message === null) resolve(undefined);
    else onAnswer(message);
  };
  const fail = (thrown: unknown): void =>
    reject(
      new Failure(
        'file_too_dear',
        `${task.kind === 'read' ? 'the file' : 'the document'} cannot be read: ${messageOf(thrown)}`,
        { cause: thrown },
      ),
    );
  const end = (): void => fail(new Error('its thread has ended'));
  const cancel = timers.after(maxReadingMs, () => fail(new Error('it takes too long')));
  worker.on('message', take).on('error', fail).on('exit', end);
  worker.postMessage(task);
  return promise.finally(() => {
    cancel();
    worker.off('message', take).off('error', fail).off('exit', end);
  });
}
