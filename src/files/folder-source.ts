import { messageOf } from '../core/failure.ts';
import type { Clock, Logger, Timers } from '../core/ports.ts';
import type { ParseSettings } from '../policy/parse-document.ts';
import type { SourceReading } from '../policy/spec.ts';
import { createDocumentThread } from './document-thread.ts';
import { createFolderReader, emptyPatienceMs, type FolderReader } from './folder-reader.ts';
import { createFolderWatch } from './folder-watch.ts';
import { compileReadFile } from './read-file.ts';

export interface FolderSourceOptions {
  readonly folder: string;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly timers: Timers;
  readonly logger: Logger;
  /** With these the documents are parsed where they are read. */
  readonly settings: ParseSettings;
  /** Called with every reading that differs from the one before, one at a time. */
  readonly onReading: (reading: SourceReading) => void;
  /** Called after every reading that succeeded, changed or not. */
  readonly onRead?: () => void;
}

export interface FolderSource {
  close(): void;
}

/** Long enough for an editor's rename to be complete, short enough for a change to be enforced at once. */
const settleMs = 25;
/** Notifications can be lost (network folders, full queues): a look at the stamps now and then finds what they missed. */
const pollMs = 3000;

/**
 * Reads the folder's documents and follows its changes: in-place writes, editors' renames, Kubernetes' symlink swaps.
 * Throws a Failure where the folder cannot be read at the start; later failures keep what was read and are tried again.
 */
export async function createFolderSource(options: FolderSourceOptions): Promise<FolderSource> {
  const { folder, timers, logger } = options;
  const reader = createReader(options);
  const outage = createOutageLog(folder, logger);
  const watch = createFolderWatch(logger, () => settle());
  let closed = false;
  let reading = false;
  let again = false;
  let settling = false;
  let pauseMs = pollMs;
  let cancelTimer = (): void => undefined;

  const read = async (): Promise<void> => {
    const { changed, folders, reading: found, isSettling } = await reader.read();
    if (closed) return;
    pauseMs = isSettling ? emptyPatienceMs : pollMs;
    watch.follow(folders);
    if (changed) options.onReading(found);
    options.onRead?.();
  };
  const readSafely = async (): Promise<void> => {
    settling = false;
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    try {
      await read();
      outage.noteRead();
    } catch (thrown) {
      outage.noteFailure(thrown);
    }
    reading = false;
    // What changed while it was read is read next, and not put off by the poll.
    schedule(again || settling ? settleMs : pauseMs);
    again = false;
  };
  function schedule(delayMs: number): void {
    cancelTimer();
    if (!closed) cancelTimer = timers.after(delayMs, () => void readSafely());
  }
  /** Once for many events: a folder that is never quiet is read all the same. */
  function settle(): void {
    if (settling) return;
    settling = true;
    schedule(settleMs);
  }

  await read();
  schedule(pollMs);
  return {
    close: () => {
      closed = true;
      cancelTimer();
      reader.close();
      watch.close();
    },
  };
}

/** The reader with its thread, which is not kept from one reading to the next: large files are rare. */
function createReader(options: FolderSourceOptions): FolderReader & { close(): void } {
  const { timers, settings } = options;
  const thread = createDocumentThread(timers, settings);
  const reader = createFolderReader({ ...options, readFile: compileReadFile(thread, settings) });
  return { read: () => reader.read().finally(() => thread.close()), close: () => thread.close() };
}

/** A line for every reading that failed, and one for the first that succeeded again. */
function createOutageLog(folder: string, logger: Logger): { noteRead(): void; noteFailure(thrown: unknown): void } {
  let failing = false;
  return {
    noteRead: () => {
      if (failing) logger.info({ folder }, 'the policies can be read again');
      failing = false;
    },
    noteFailure: (thrown) => {
      failing = true;
      logger.error(
        { folder, error: messageOf(thrown) },
        'the policies could not be read; what was read before stays in force',
      );
    },
  };
}
