import type { Clock } from '../core/ports.ts';
import type { Problem } from '../core/problem.ts';
import type { AuthorDocument, SourceReading } from '../policy/spec.ts';
import type { FileReading, ReadFile } from './read-file.ts';
import { listFiles, type Listed, type Listing } from './list-files.ts';
import { tooDeep, unreadable } from './unreadable.ts';

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
  /** True where a file was found empty that held documents, so that it should be looked at again soon. */
  readonly isSettling: boolean;
}

interface CachedFile extends FileReading {
  readonly stamp: string;
  /** True where it held documents when it could be read last. */
  readonly held: boolean;
  /** Monotonic, of the first time that it was seen without the documents that it held. */
  readonly emptySince: number | undefined;
}

/** How a folder is read. */
export interface FolderReaderOptions {
  readonly folder: string;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly readFile: ReadFile;
}

const maxAttempts = 5;
/** Who writes a file anew may empty it first: only what is seen empty that long, in milliseconds, is taken for empty. */
export const emptyPatienceMs = 1000;

/** Reads until two listings around the reading agree, so that a swap of many files is seen as one change. */
export function createFolderReader(options: FolderReaderOptions): FolderReader {
  const { folder } = options;
  const cache = new Map<string, CachedFile>();
  let known: Listing | undefined;
  return {
    read: async () => {
      let before = await listFiles(folder);
      let changed = known === undefined || known.tooDeep.join('\0') !== before.tooDeep.join('\0');
      for (let attempt = 1; ; attempt++) {
        const result = await readListing(before, cache, options);
        changed ||= result.changed;
        const after = await listFiles(folder);
        if (attempt === maxAttempts || sameStamps(before, after)) {
          known = before;
          return { ...result, changed, folders: after.folders };
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

async function readListing(
  listing: Listing,
  cache: Map<string, CachedFile>,
  options: FolderReaderOptions,
): Promise<Omit<FolderReading, 'folders'>> {
  const documents: AuthorDocument[] = [];
  const problems: Problem[] = listing.tooDeep.map(tooDeep);
  const failed = new Set<string>();
  let changed = false;
  let isSettling = false;
  for (const listed of listing.files) {
    const { path, stamp } = listed;
    const cached = cache.get(path);
    const file = cached?.stamp === stamp && !cached.isTriedAgain ? cached : await readAnew(listed, cached, options);
    changed ||= cached?.stamp !== stamp || cached.failure !== file.failure;
    isSettling ||= file.emptySince !== undefined;
    cache.set(path, file);
    documents.push(...file.documents);
    if (file.failure === undefined) continue;
    failed.add(path);
    problems.push(unreadable(path, file.failure));
  }
  const present = new Set(listing.files.map(({ path }) => path));
  for (const path of cache.keys()) changed = (!present.has(path) && cache.delete(path)) || changed;
  return { changed, isSettling, reading: { documents, problems, unreadable: failed } };
}

async function readAnew(
  listed: Listed,
  cached: CachedFile | undefined,
  { clock, readFile }: FolderReaderOptions,
): Promise<CachedFile> {
  const { stamp } = listed;
  const read = await readFile(listed);
  const held = cached?.held === true;
  if (read.failure !== undefined) return { ...read, stamp, held, emptySince: undefined };
  if (read.documents.length > 0 || !held) {
    return { ...read, stamp, held: read.documents.length > 0, emptySince: undefined };
  }
  const now = clock.monotonic();
  const emptySince = cached.emptySince ?? now;
  if (now - emptySince >= emptyPatienceMs) return { ...read, stamp, held: false, emptySince: undefined };
  const failure = 'the file is empty: what it held stays in force until it is surely meant';
  return { ...read, stamp, held, failure, isTriedAgain: true, emptySince };
}
