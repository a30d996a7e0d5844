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

/**
 * Milliseconds. A megabyte of YAML takes one to ten seconds where it is made to, and a file has four at most. The dearest document of a cluster that
 * is accepted takes one and a half of computing; others wait meanwhile for theirs to be parsed.
 */
const maxMs = { read: 60_000, parse: 20_000 } as const;
/** A thread takes some thirty megabytes: it is not kept for a text that may never come. */
const idleMs = 10_000;
/** A text of the largest size takes half of it. */
const maxHeapMb = 512;
/** A thread that holds more after a text, of which it needs nothing any more, is ended: the next text shall find all that it may have. */
const defaultMaxKeptHeapBytes = 96 * 1024 * 1024;
/** As its neighbour is written: the sources run as they are, and compiled. */
const program = new URL(
  import.meta.url.endsWith('.ts') ? './document-worker.ts' : './document-worker.js',
  import.meta.url,
);

/** A thread, and whether it has read a text before. */
interface Running {
  readonly worker: Worker;
  isFresh: boolean;
  /** True while it reads a text, and for good where it failed with one. */
  isBusy: boolean;
}

/**
 * What one text does to the thread is never held against another: one on which a thread fails that has read others before is tried once more, in
 * a fresh thread, and given up where that fails too.
 */
export function createDocumentThread(
  timers: Timers,
  settings: ParseSettings,
  maxKeptHeapBytes = defaultMaxKeptHeapBytes,
): DocumentThread {
  let running: Running | undefined;
  let closings = 0;
  let cancelIdle = (): void => undefined;
  const end = (): void => {
    cancelIdle();
    if (running !== undefined) endThread(running);
    running = undefined;
  };
  const start = (): Running =>
    startThread((ended) => {
      if (running === ended) running = undefined;
    });
  const runOnce = async <M>(task: ReadingTask | ParsingTask, current: Running): Promise<readonly M[]> => {
    cancelIdle();
    current.isBusy = true;
    try {
      const { answers, heapBytes } = await runIn<M>(current.worker, timers, task);
      current.isFresh = false;
      current.isBusy = false;
      if (running !== current) return answers;
      if (heapBytes > maxKeptHeapBytes) end();
      else cancelIdle = timers.after(idleMs, end);
      return answers;
    } catch (thrown) {
      if (running === current) end();
      throw thrown;
    }
  };
  const run = async <M>(task: ReadingTask | ParsingTask): Promise<readonly M[]> => {
    const [current, closingsBefore] = [(running ??= start()), closings];
    const { isFresh } = current;
    try {
      return await runOnce(task, current);
    } catch (thrown) {
      if (isFresh || closings !== closingsBefore) throw thrown;
      return runOnce(task, (running = start()));
    }
  };
  return {
    close: () => {
      closings += 1;
      end();
    },
    read: async (source, text) => {
      const messages = await run<DocumentMessage>({ kind: 'read', source, text, settings });
      return messages.map((message) => fromMessage(message, settings));
    },
    parse: async ({ source, problems, text }) => {
      const [parsed] = await run<ParsedDocument>({ kind: 'parse', source, problems, text, settings });
      if (parsed === undefined) throw new Failure('file_too_dear', 'the thread has not answered');
      return parsed;
    },
  };
}

/** `onEnd` is called where the thread ends by itself, which it may between two texts. */
function startThread(onEnd: (ended: Running) => void): Running {
  const worker = new Worker(program, { resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } });
  const started: Running = { worker, isFresh: true, isBusy: false };
  const tell = (): void => onEnd(started);
  worker.on('error', tell).on('exit', tell).unref();
  return started;
}

/** One that has nothing to do ends by itself: what V8 is stopped in the middle of is nothing then. */
function endThread({ worker, isBusy }: Running): void {
  if (isBusy) void worker.terminate();
  else worker.postMessage(undefined);
}

/** Does the task in the thread, which gives its answers one by one, and then what its heap holds. */
function runIn<M>(
  worker: Worker,
  timers: Timers,
  task: ReadingTask | ParsingTask,
): Promise<{ readonly answers: readonly M[]; readonly heapBytes: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ answers: readonly M[]; heapBytes: number }>();
  const answers: M[] = [];
  const take = (message: M | number): void => {
    if (typeof message === 'number') resolve({ answers, heapBytes: message });
    else answers.push(message);
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
  const cancel = timers.after(maxMs[task.kind], () => fail(new Error('it takes too long')));
  worker.on('message', take).on('error', fail).on('exit', end);
  worker.postMessage(task);
  return promise.finally(() => {
    cancel();
    worker.off('message', take).off('error', fail).off('exit', end);
  });
}
