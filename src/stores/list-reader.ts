import { Failure } from '../core/failure.ts';
import type { Clock, Logger, Timers } from '../core/ports.ts';
import { thrownFields } from '../core/thrown-fields.ts';
import type { ListCopy } from './list-copy.ts';
import { maxListEntries, type ListEntry, type StoredList } from './stored-list.ts';

const comparedAtOnce = 20_000;

export interface ListReaderPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Keeps a copy of a stored list whole: asks for its version, and reads it where that is not what was heard. */
export interface ListReader {
  /** Asks once. Never rejects; what could not be read is not confirmed. */
  read(): Promise<void>;
  /** A message of the list's channel came, with these entries. */
  hear(entries: readonly ListEntry[]): void;
  /** Messages may have been missed: the next reading reads all. */
  doubt(): void;
  /** When the question was asked that was last answered, monotonic milliseconds: the copy lacks nothing from before. */
  confirmedAt(): number | undefined;
  /** True where the list is longer than what is held of it. */
  isOverfull(): boolean;
}

export function createListReader(
  stored: StoredList,
  copy: ListCopy,
  { clock, timers, logger }: ListReaderPorts,
): ListReader {
  let heard = 0;
  /** The version of the last reading without what was heard till then: the same again, and no message was missed. */
  let base: number | undefined;
  let doubts = 0;
  let confirmedAt: number | undefined;
  let overfull = false;
  let fallen = 0;
  let isReading = false;
  const hasRoom = (): boolean => copy.entries.size < maxListEntries;
  const take = (entries: readonly ListEntry[]): void => {
    if (hasRoom()) copy.take(entries);
    // What is let fall is missing from now on, and not from the next reading on.
    else [overfull, fallen] = [true, fallen + 1];
  };
  /** Both take what the other has; false where there was something to put there. */
  const bringTogether = async (): Promise<boolean> => {
    const fallenBefore = fallen;
    const found = await stored.read(clock.now(), take);
    const missing = await findMissing(copy, found, { clock, timers });
    overfull = fallen !== fallenBefore || !hasRoom();
    await stored.restore(missing);
    return missing.length === 0;
  };
  return {
    hear: (entries) => {
      heard++;
      take(entries);
    },
    doubt: () => {
      doubts++;
      base = undefined;
    },
    confirmedAt: () => confirmedAt,
    isOverfull: () => overfull,
    read: async () => {
      if (isReading) return;
      isReading = true;
      try {
        const startedAt = clock.monotonic();
        const doubtsBefore = doubts;
        const now = (await stored.version()) - heard;
        // What was let fall is read once there is room again.
        if (now !== base || (overfull && hasRoom()))
          base = (await bringTogether()) && doubts === doubtsBefore ? now : undefined;
        // What came after the question may be missing: the copy is as good as when it was asked.
        confirmedAt = startedAt;
      } catch (thrown) {
        base = undefined;
        if (!(thrown instanceof Failure)) logger.error(thrownFields(thrown), 'a shared list was not read');
      } finally {
        isReading = false;
      }
    },
  };
}

/** What the copy has that has not ended, and the list has not, or not for as long. A long list holds nobody up. */
async function findMissing(
  { entries }: ListCopy,
  found: ReadonlyMap<string, number>,
  { clock, timers }: Pick<ListReaderPorts, 'clock' | 'timers'>,
): Promise<readonly ListEntry[]> {
  const missing: ListEntry[] = [];
  let seen = 0;
  for (const [entry, end] of entries) {
    if (end > clock.now() && (found.get(entry) ?? 0) < end) missing.push([entry, end]);
    if (++seen % comparedAtOnce === 0) await new Promise<void>((resolve) => void timers.after(0, resolve));
  }
  return missing;
}
