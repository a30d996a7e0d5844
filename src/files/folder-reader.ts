import { readFile } from 'node:fs/promises';
import { Failure, messageOf } from '../core/failure.ts';
import type { Problem } from '../core/problem.ts';
import type { AuthorDocument, SourceReading } from '../policy/spec.ts';
import { listFiles, type Listing } from './list-files.ts';
import { readDocuments } from './read-documents.ts';

/** Reads a folder again and again, and only what changed since the last time. */
export interface FolderReader {
  /** Throws a Failure where the folder itself cannot be read. */
  read(): Promise<FolderReading>;
}

export interface FolderReading {
  /** False where nothing is different from the reading before. */
  readonly changed: boolean;
  readonly folders: readonly string[];
  readonly reading: SourceReading;
}

interface CachedFile {
  readonly stamp: string;
  readonly documents: readonly AuthorDocument[];
  /** Why it could not be read; then it is tried again every time. */
  readonly failure: string | undefined;
}

/** A file is read into memory whole. */
const maxFileBytes = 16 * 1024 * 1024;
const maxAttempts = 5;

/** Reads until two listings around the reading agree, so that a swap of many files is seen as one change. */
export function createFolderReader(folder: string): FolderReader {
  const cache = new Map<string, CachedFile>();
  let isFirst = true;
  return {
    read: async () => {
      let before = await listFiles(folder);
      let changed = isFirst;
      for (let attempt = 1; ; attempt++) {
        const result = await readListing(before, cache);
        changed ||= result.changed;
        const after = await listFiles(folder);
        if (attempt === maxAttempts || sameStamps(before, after)) {
          isFirst = false;
          return { changed, folders: after.folders, reading: result.reading };
        }
        before = after;
      }
    },
  };
}

function sameStamps(a: Listing, b: Listing): boolean {
  return (
    a.files.length === b.files.length &&
    a.files.every((file, index) => file.path === b.files[index]?.path && file.stamp === b.files[index].stamp)
  );
}

async function readListing(listing: Listing, cache: Map<string, CachedFile>): Promise<Omit<FolderReading, 'folders'>> {
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
  for (const path of cache.keys()) changed = (!present.has(path) && cache.delete(path)) || changed;
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
  if (bytes.length > maxFileBytes) throw new Failure('file_too_large', `the file is larger than ${maxFileBytes} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Failure('file_not_utf8', 'the file is not UTF-8', { cause });
  }
}
