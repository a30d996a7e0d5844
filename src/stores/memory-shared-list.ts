import type { Clock, SharedList, Timers } from '../core/ports.ts';
import { createListCopy, sweepRegularly } from './list-copy.ts';
import { maxListEntries } from './stored-list.ts';

/** A list of this process alone: it lacks nothing, and nobody else knows of it. */
export function createMemorySharedList(ports: { readonly clock: Clock; readonly timers: Timers }): SharedList {
  const copy = createListCopy();
  const close = sweepRegularly(copy, ports);
  return {
    among: 'workers',
    maxEntries: maxListEntries,
    entries: copy.entries,
    add: async (entry, expiresAt) => {
      copy.take([[entry, Math.ceil(expiresAt)]]);
    },
    unreadable: () => undefined,
    onChange: (listener) => copy.onChange(listener),
    close,
  };
}
