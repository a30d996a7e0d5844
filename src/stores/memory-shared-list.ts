import type { Clock, SharedList, Timers } from '../core/ports.ts';
import { createListCopy } from './list-copy.ts';
import { maxListEntries } from './stored-list.ts';

const sweepMs = 5000;

/** A list of this process alone: it lacks nothing, and nobody else knows of it. */
export function createMemorySharedList({
  clock,
  timers,
}: {
  readonly clock: Clock;
  readonly timers: Timers;
}): SharedList {
  const copy = createListCopy();
  let cancel = (): void => undefined;
  const sweepLater = (): void => {
    cancel = timers.after(sweepMs, () => {
      copy.sweep(clock.now());
      sweepLater();
    });
  };
  sweepLater();
  return {
    maxEntries: maxListEntries,
    entries: copy.entries,
    add: async (entry, expiresAt) => {
      copy.take([[entry, Math.ceil(expiresAt)]]);
    },
    unreadable: () => undefined,
    onChange: (listener) => copy.onChange(listener),
    close: () => cancel(),
  };
}
