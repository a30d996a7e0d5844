import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger, Timers } from '../core/ports.ts';
import type { RevocationListHandle } from '../core/revocation.ts';
import { createFolderWatch } from '../files/folder-watch.ts';
import { stampOf } from '../files/list-files.ts';
import { readRevocationList, sayProblems } from '../policy/revocations/read-revocation-list.ts';
import { codeOf } from '../std/listen.ts';

export interface RevocationsFile {
  /** Resolves when it was looked at for the first time, well or not. */
  readonly firstLook: Promise<void>;
  close(): void;
}

/** Notifications can be lost: a look now and then finds what they missed. */
const pollMs = 500;
const maxFileBytes = 16 * 1_048_576;

/** Reads the file again with each change: in-place writes, renames, Kubernetes' symlink swaps. */
export function followRevocationsFile(
  file: string,
  list: RevocationListHandle,
  { timers, logger }: { readonly timers: Timers; readonly logger: Logger },
): RevocationsFile {
  let stamp: string | undefined;
  let said: string | undefined;
  let isClosed = false;
  let cancel = (): void => undefined;
  const watch = createFolderWatch(logger, () => lookIn(20));
  const lookIn = (delayMs: number): void => {
    cancel();
    if (!isClosed) cancel = timers.after(delayMs, () => void look());
  };
  const look = async (): Promise<void> => {
    try {
      const found = stampOf(await stat(file));
      if (found === stamp) list.confirm();
      else {
        const { entries, problem } = await readFileOf(file);
        if (isClosed) return;
        list.replace(entries, problem);
        stamp = found;
      }
      said = undefined;
    } catch (thrown) {
      const why = `${file} cannot be read (${codeOf(thrown) || 'unknown error'})`;
      if (why !== said && !isClosed) list.fail(why);
      said = why;
      stamp = undefined;
    }
    watch.follow(isClosed ? [] : await foldersOf(file));
    lookIn(pollMs);
  };
  return {
    firstLook: look(),
    close: () => {
      isClosed = true;
      cancel();
      watch.close();
    },
  };
}

/** A file that is too large is taken for one that cannot be read as a whole: what was good before stays in force. */
async function readFileOf(file: string): Promise<Pick<Parsed, 'entries' | 'problem'>> {
  const { size } = await stat(file);
  if (size > maxFileBytes) return { entries: [], problem: `it is larger than ${maxFileBytes} bytes` };
  const { entries, problems } = readRevocationList(await readFile(file, 'utf8'));
  return { entries, problem: sayProblems(problems) };
}

interface Parsed {
  readonly entries: ReturnType<typeof readRevocationList>['entries'];
  readonly problem: string | undefined;
}

async function foldersOf(file: string): Promise<readonly string[]> {
  const real = await realpath(file).catch(() => file);
  return [...new Set([dirname(file), dirname(real)])];
}
