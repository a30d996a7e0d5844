import type { Clock, SharedList, Timers } from '../core/ports.ts';
import { createListCopy } from './list-copy.ts';

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
    entries: copy.entries,
    add: async (entry, expiresAt) => {
      copy.take([[entry, expiresAt]]);
    },
    unreadable: () => undefined,
    onChange: (listener) => copy.onChange(listener),
    close: () => cancel(),
  };
}
