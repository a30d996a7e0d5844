import { Failure } from '../../core/failure.ts';
import type { Clock, SharedList, Timers } from '../../core/ports.ts';
import { createListCopy, sweepRegularly } from '../../stores/list-copy.ts';

/** The copy that a worker has of the list of revocations: what comes to it the watcher says. */
export interface ReceivedList extends SharedList {
  take(entries: readonly (readonly [entry: string, expiresAt: number])[]): void;
  /** What the watcher says of its own copy; it has to say it again and again. */
  pulse(unreadable: string | undefined): void;
}

/** The watcher says each second that it is there. */
const silentMs = 5000;

export function createReceivedList(
  maxEntries: number,
  { clock, timers }: { readonly clock: Clock; readonly timers: Timers },
): ReceivedList {
  const copy = createListCopy();
  let unreadable: string | undefined = 'it was not told yet';
  let heardAt = clock.monotonic();
  const close = sweepRegularly(copy, { clock, timers });
  return {
    maxEntries,
    entries: copy.entries,
    take: (entries) => void copy.take(entries),
    pulse: (why) => {
      unreadable = why;
      heardAt = clock.monotonic();
    },
    add: () => Promise.reject(new Failure('store_unavailable', 'revocations are taken by the process that watches')),
    unreadable: () =>
      clock.monotonic() - heardAt > silentMs ? 'the process that watches does not say anything' : unreadable,
    onChange: (listener) => copy.onChange(listener),
    close,
  };
}
