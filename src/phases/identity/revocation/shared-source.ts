import type { Clock, Logger, SharedList } from '../../../core/ports.ts';
import type { Revocation, RevocationSourceStatus, Signal } from '../../../core/revocation.ts';
import { thrownFields } from '../../../core/thrown-fields.ts';
import { createReadState } from './read-state.ts';
import { createRevocationTable, type RevocationTable } from './revocation-table.ts';
import type { RevocationSettings } from './revocation-settings.ts';
import { readShared, toSharedRevocation, toSharedSignal } from './shared-entry.ts';
import type { SignalTable } from './signal-table.ts';

/** What replicas share, ready to be looked up. */
export interface SharedSource {
  readonly table: RevocationTable;
  /** True once every replica that can read the store has them. Never rejects. */
  add(revocations: readonly EndingRevocation[], signals: readonly Signal[]): Promise<boolean>;
  failure(): string | undefined;
  status(): RevocationSourceStatus;
  /** Looks whether the list can be read, and at the next so many entries. */
  sweep(count: number): void;
  close(): void;
}

export type EndingRevocation = Revocation & { readonly expiresAt: number };

/** Clocks of replicas differ, and the store goes by its own, milliseconds. */
const marginMs = 600_000;

export function createSharedSource(options: {
  readonly list: SharedList;
  readonly settings: RevocationSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where shared signals go. */
  readonly signals: SignalTable;
}): SharedSource {
  const { list, settings, clock, logger, signals } = options;
  const table = createRevocationTable(settings.maxEntries, clock);
  const state = createReadState(clock, settings.graceMs);
  let unreadable = 0;
  const take = (text: string): void => {
    const expiresAt = (list.entries.get(text) ?? clock.now() + settings.retentionMs) / 1000;
    const read = readShared(text);
    if (read === undefined) unreadable++;
    else if (read.kind === 'revocation') table.add({ ...read.revocation, expiresAt }, 'widen');
    else signals.add(read.signal, expiresAt);
  };
  const look = (): string | undefined => {
    const why = list.unreadable();
    if (why === undefined) state.confirm();
    else state.fail(why);
    return state.failure();
  };
  const stop = list.onChange(({ added }) => added.forEach(take));
  for (const text of list.entries.keys()) take(text);
  return {
    table,
    add: async (revocations, given) => {
      const signalsEnd = clock.now() + settings.signalRetentionMs;
      try {
        await Promise.all([
          ...revocations.map((one) => list.add(toSharedRevocation(one), one.expiresAt * 1000 + marginMs)),
          ...given.map((signal) => list.add(toSharedSignal(signal), signalsEnd)),
        ]);
        return true;
      } catch (thrown) {
        logger.error(thrownFields(thrown), 'revocations could not be shared with the other replicas');
        return false;
      }
    },
    failure: look,
    status: () => ({
      source: 'shared',
      entries: table.size,
      failure: look(),
      problem: unreadable === 0 ? undefined : `${unreadable} entries cannot be read`,
    }),
    sweep: (count) => {
      look();
      table.sweep(count);
    },
    close: stop,
  };
}
