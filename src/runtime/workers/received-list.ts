import { Failure } from '../../core/failure.ts';
import type { Clock, SharedList, Timers } from '../../core/ports.ts';
import { createListCopy, sweepRegularly } from '../../stores/list-copy.ts';

/** How the watcher's copy stands. */
export interface ListReadState {
  readonly unreadable: string | undefined;
  /** How long ago it lacked nothing, milliseconds; undefined: never. */
  readonly readAgeMs: number | undefined;
}

/** The copy that a worker has of the list of revocations: what comes to it the watcher says. */
export interface ReceivedList extends SharedList {
  take(entries: readonly (readonly [entry: string, expiresAt: number])[]): void;
  /** What the watcher says of its own copy; it has to say it again and again. */
  pulse(state: ListReadState): void;
}

/** The watcher says each second that it is there. */
const silentMs = 5000;

export function createReceivedList(
  maxEntries: number,
  { clock, timers, among }: Pick<SharedList, 'among'> & { readonly clock: Clock; readonly timers: Timers },
): ReceivedList {
  const copy = createListCopy();
  let unreadable: string | undefined = 'it was not told yet';
  let readAt: number | undefined;
  let heardAt = clock.monotonic();
  const close = sweepRegularly(copy, { clock, timers });
  return {
    among,
    maxEntries,
    entries: copy.entries,
    take: (entries) => void copy.take(entries),
    pulse: (state) => {
      unreadable = state.unreadable;
      heardAt = clock.monotonic();
      if (state.readAgeMs !== undefined) readAt = heardAt - state.readAgeMs;
    },
    add: () => Promise.reject(new Failure('store_unavailable', 'revocations are taken by the process that watches')),
    unreadable: () =>
      clock.monotonic() - heardAt > silentMs ? 'the process that watches does not say anything' : unreadable,
    readAgeMs: () => (readAt === undefined ? undefined : clock.monotonic() - readAt),
    onChange: (listener) => copy.onChange(listener),
    close,
  };
}
