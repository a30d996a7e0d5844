import type { Stats } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock, Logger, Timers } from '../core/ports.ts';
import type { RevocationListHandle, RevocationListReading } from '../core/revocation.ts';
import { createFolderWatch } from '../files/folder-watch.ts';
import { stampOf } from '../files/list-files.ts';
import { readRevocationList, sayProblems } from '../policy/revocations/read-revocation-list.ts';
import { codeOf } from '../std/listen.ts';
import type { Steps } from '../std/steps.ts';

export interface RevocationsFile {
  /** Resolves when it was looked at for the first time, well or not; one that was just emptied when it is known to be so. */
  readonly firstLook: Promise<void>;
  close(): void;
}

/** Notifications can be lost: a look now and then finds what they missed. */
const pollMs = 500;
const maxFileBytes = 16 * 1_048_576;
/** How long an empty file has to have been so before it is the first that is read: whoever writes in place empties it first. */
const emptyStandsMs = 1000;

export interface RevocationsFilePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Reads the file again with each change: in-place writes, renames, Kubernetes' symlink swaps. */
export function followRevocationsFile(
  file: string,
  list: RevocationListHandle,
  { clock, timers, logger }: RevocationsFilePorts,
): RevocationsFile {
  const reader = createFileReader(file, list, clock);
  const first = Promise.withResolvers<undefined>();
  let isClosed = false;
  let isLooking = false;
  let changedMeanwhile = false;
  let cancel = (): void => undefined;
  const watch = createFolderWatch(logger, () => lookIn(20));
  const lookIn = (delayMs: number): void => {
    cancel();
    if (!isClosed) cancel = timers.after(delayMs, () => void look());
  };
  const look = async (): Promise<void> => {
    if (isLooking) {
      changedMeanwhile = true;
      return;
    }
    [isLooking, changedMeanwhile] = [true, false];
    const isRead = await reader.look();
    if (isRead) first.resolve(undefined);
    watch.follow(isClosed ? [] : await foldersOf(file));
    isLooking = false;
    lookIn(changedMeanwhile ? 20 : pollMs);
  };
  void look();
  return {
    firstLook: first.promise,
    close: () => {
      isClosed = true;
      cancel();
      watch.close();
      reader.close();
      first.resolve(undefined);
    },
  };
}

interface FileReader {
  /** False where it is not yet known what the file is to hold. Never rejects. */
  look(): Promise<boolean>;
  close(): void;
}

function createFileReader(file: string, list: RevocationListHandle, clock: Clock): FileReader {
  let stamp: string | undefined;
  let said: string | undefined;
  let wasRead = false;
  let isClosed = false;
  /** Of an empty file that is the first: its stamp, and since when it is known, by the monotonic clock. */
  let empty: { readonly stamp: string; readonly since: number } | undefined;
  const mustStand = (found: string, { size, mtimeMs }: Stats): boolean => {
    if (wasRead || size > 0 || clock.now() - mtimeMs >= emptyStandsMs) return false;
    if (empty?.stamp !== found) empty = { stamp: found, since: clock.monotonic() };
    return clock.monotonic() - empty.since < emptyStandsMs;
  };
  return {
    look: async () => {
      try {
        const stats = await stat(file);
        const found = stampOf(stats);
        if (mustStand(found, stats)) return false;
        const reading = found === stamp ? undefined : await readFileOf(file, stats.size);
        if (isClosed) return true;
        if (reading === undefined) list.confirm();
        else await list.take(reading);
        [wasRead, stamp, said] = [true, found, undefined];
      } catch (thrown) {
        const why = `${file} cannot be read (${codeOf(thrown) || 'unknown error'})`;
        if (why !== said && !isClosed) list.fail(why);
        [stamp, said] = [undefined, why];
      }
      return true;
    },
    close: () => {
      isClosed = true;
    },
  };
}

/** A file that is too large is taken for one that cannot be read as a whole: what was good before stays in force. */
async function readFileOf(file: string, size: number): Promise<Steps<RevocationListReading>> {
  return size > maxFileBytes ? tooLarge() : readText(await readFile(file, 'utf8'));
}

function* tooLarge(): Steps<RevocationListReading> {
  yield;
  return { entries: [], problem: `it is larger than ${maxFileBytes} bytes` };
}

function* readText(text: string): Steps<RevocationListReading> {
  const { entries, problems } = yield* readRevocationList(text);
  return { entries, problem: sayProblems(problems) };
}

async function foldersOf(file: string): Promise<readonly string[]> {
  const real = await realpath(file).catch(() => file);
  return [...new Set([dirname(file), dirname(real)])];
}
