import type { Clock, Logger, SharedEntry, SharedList } from '../../../core/ports.ts';
import type { Revocation, RevocationSourceStatus, Signal } from '../../../core/revocation.ts';
import { thrownFields } from '../../../core/thrown-fields.ts';
import { createReadState } from './read-state.ts';
import { createRevocationTable, type RevocationTable } from './revocation-table.ts';
import type { RevocationSettings } from './revocation-settings.ts';
import { readShared, toSharedRevocation, toSharedSignal } from './shared-entry.ts';
import type { SignalTable } from './signal-table.ts';

/** This process's copy of the list that replicas share. */
export interface SharedSource {
  readonly table: RevocationTable;
  /** True once every replica that can read the store will have them. Never rejects. */
  add(
    revocations: readonly (Revocation & { readonly expiresAt: number })[],
    signals: readonly Signal[],
  ): Promise<boolean>;
  failure(): string | undefined;
  status(): RevocationSourceStatus;
  close(): void;
}

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
  const signalsEnd = (): number => (clock.now() + settings.signalRetentionMs) / 1000;
  let unreadable = 0;
  const take = (text: string): void => {
    const read = readShared(text);
    if (read === undefined) unreadable++;
    else if (read.kind === 'revocation') table.add(read.revocation, 'widen');
    else signals.add(read.signal, signalsEnd());
  };
  const onEntries = (entries: readonly SharedEntry[]): void => {
    for (const { text } of entries) take(text);
  };
  const stop = list.follow({
    onEntries,
    onConfirmed: () => state.confirm(),
    onFailure: (why) => state.fail(why),
  });
  return {
    table,
    add: async (revocations, given) => {
      const entries = [
        ...revocations.map((revocation) => toSharedRevocation(revocation, revocation.expiresAt)),
        ...given.map((signal) => toSharedSignal(signal, signalsEnd())),
      ];
      try {
        await list.add(entries);
        return true;
      } catch (thrown) {
        logger.error(thrownFields(thrown), 'revocations could not be shared with the other replicas');
        return false;
      }
    },
    failure: () => state.failure(),
    status: () => ({
      source: 'shared',
      entries: table.size,
      failure: state.failure(),
      problem: unreadable === 0 ? undefined : `${unreadable} entries cannot be read`,
    }),
    close: stop,
  };
}
