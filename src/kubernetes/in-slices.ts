import type { Clock, Timers } from '../core/ports.ts';

/** Long enough to get on, short enough that no request waits for it. */
const sliceMs = 5;

/** Does the work for each item in order, waits where it does, and lets others run in between wherever it has taken a few milliseconds. */
export async function inSlices<T>(
  items: Iterable<T>,
  work: (item: T) => void | Promise<void>,
  { clock, timers }: { readonly clock: Clock; readonly timers: Timers },
): Promise<void> {
  let since = clock.monotonic();
  for (const item of items) {
    const waiting = work(item);
    if (waiting !== undefined) await waiting;
    if (clock.monotonic() - since < sliceMs) continue;
    await new Promise<void>((resolve) => void timers.after(0, resolve));
    since = clock.monotonic();
  }
}
