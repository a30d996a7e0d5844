import { watch, type FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Failure, messageOf } from '../core/failure.ts';
import type { Logger, Timers } from '../core/ports.ts';
import type { Problem } from '../core/problem.ts';
import type { AuthorDocument, SourceReading } from '../policy/spec.ts';
import { listFiles, type Listing } from './list-files.ts';
import { readDocuments } from './read-documents.ts';

export interface FolderSourceOptions {
  readonly folder: string;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Called with every reading that differs from the one before, one at a time. */
  readonly onReading: (reading: SourceReading) => void;
  /** Called after every reading that succeeded, changed or not. */
  readonly onRead?: () => void;
}

export interface FolderSource {
  close(): void;
}

/** A file is read into memory whole. */
const maxFileBytes = 16 * 1024 * 1024;
/** Long enough for an editor's rename to be complete, short enough for a change to be enforced at once. */
const settleMs = 25;
/** Notifications can be lost (network folders, full queues): a look at the stamps now and then finds what they missed. */
const pollMs = 3000;

interface CachedFile {
  readonly stamp: string;
  readonly documents: readonly AuthorDocument[];
  /** Why it could not be read; then it is tried again every time. */
  readonly failure: string | undefined;
}

/**
 * Reads the folder's documents and follows its changes: in-place writes, editors' renames, Kubernetes' symlink swaps.
 * Throws a Failure where the folder cannot be read at the start; later failures keep what was read and are tried again.
 */
export async function createFolderSource(options: FolderSourceOptions): Promise<FolderSource> {
  const { folder, timers, logger } = options;
  const cache = new Map<string, CachedFile>();
  const watchers = new Map<string, FSWatcher>();
  let closed = false;
  let reading = false;
  let again = false;
  let cancelTimer = (): void => undefined;

  const read = async (): Promise<void> => {
    const listing = await stableListing(folder, cache);
    if (closed) return;
    follow(listing.folders);
    if (listing.changed) options.onReading(listing.reading);
    options.onRead?.();
  };
  const readSafely = async (): Promise<void> => {
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    try {
      await read();
    } catch (thrown) {
      logger.error(
        { folder, error: messageOf(thrown) },
        'the policies could not be read; what was read before stays in force',
      );
    } finally {
      reading = false;
    }
    if (closed) return;
    schedule(again ? settleMs : pollMs);
    again = false;
  };
  const schedule = (delay: number): void => {
    cancelTimer();
    cancelTimer = timers.after(delay, () => void readSafely());
  };
  const follow = (folders: readonly string[]): void => {
    for (const [path, watcher] of watchers) {
      if (folders.includes(path)) continue;
      watcher.close();
      watchers.delete(path);
    }
    for (const path of folders) if (!watchers.has(path)) watchOne(path);
  };
  const watchOne = (path: string): void => {
    try {
      const watcher = watch(path, { persistent: false }, () => schedule(settleMs));
      watcher.on('error', () => {
        watcher.close();
        watchers.delete(path);
      });
      watchers.set(path, watcher);
    } catch (thrown) {
      logger.warn(
        { folder: path, error: messageOf(thrown) },
        'the folder cannot be watched; changes are found by polling',
      );
    }
  };

  await read();
  schedule(pollMs);
  return {
    close: () => {
      closed = true;
      cancelTimer();
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

interface StableListing {
  readonly changed: boolean;
  readonly folders: readonly string[];
  readonly reading: SourceReading;
}

/** Reads until two listings around the reading agree, so that a swap of many files is seen as one change. */
async function stableListing(folder: string, cache: Map<string, CachedFile>): Promise<StableListing> {
  let before = await listFiles(folder);
  let changed = cache.size === 0;
  for (let attempt = 0; ; attempt++) {
    const result = await readListing(before, cache);
    changed ||= result.changed;
    const after = await listFiles(folder);
    if (attempt === 5 || sameStamps(before, after)) return { ...result, changed, folders: after.folders };
    before = after;
  }
}

function sameStamps(a: Listing, b: Listing): boolean {
  return (
    a.files.length === b.files.length &&
    a.files.every((file, index) => file.path === b.files[index]?.path && file.stamp === b.files[index].stamp)
  );
}

async function readListing(listing: Listing, cache: Map<string, CachedFile>): Promise<Omit<StableListing, 'folders'>> {
  const documents: AuthorDocument[] = [];
  const problems: Problem[] = [];
  const unreadable = new Set<string>();
  let changed = false;
  for (const { path, stamp } of listing.files) {
    const cached = cache.get(path);
    const file = cached?.stamp === stamp && cached.failure === undefined ? cached : await readCached(path, stamp);
    changed ||= cached?.stamp !== stamp || cached.failure !== file.failure;
    cache.set(path, file);
    documents.push(...file.documents);
    if (file.failure === undefined) continue;
    unreadable.add(path);
    const place = { source: path, line: undefined, column: undefined };
    problems.push({ code: 'unreadable-file', severity: 'error', message: file.failure, field: '', place });
  }
  const present = new Set(listing.files.map(({ path }) => path));
  for (const path of cache.keys()) {
    if (present.has(path)) continue;
    cache.delete(path);
    changed = true;
  }
  return { changed, reading: { documents, problems, unreadable } };
}

async function readCached(path: string, stamp: string): Promise<CachedFile> {
  try {
    return { stamp, documents: readDocuments(path, await readText(path)), failure: undefined };
  } catch (thrown) {
    return { stamp, documents: [], failure: messageOf(thrown) };
  }
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path);
  if (bytes.length > maxFileBytes) throw new Failure('file_too_large', `${path} is larger than ${maxFileBytes} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Failure('file_not_utf8', `${path} is not UTF-8`, { cause });
  }
}
