import type { Clock, Logger, Timers } from '../core/ports.ts';

const lookEveryMs = 10_000;
/** A clock that is led slowly to the right time differs by less between two looks. */
const stepMs = 1_000;

/** Tells the log where the wall clock was set, back or forward: tokens end by it, so it says why many are suddenly refused, or good for longer. */
export function watchWallClock({
  clock,
  timers,
  logger,
}: {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}): { close(): void } {
  const ahead = (): number => clock.now() - clock.monotonic();
  let before = ahead();
  const look = (): void => {
    const current = ahead();
    const seconds = Math.round((current - before) / 1000);
    if (Math.abs(current - before) >= stepMs)
      logger.warn({ seconds }, 'the wall clock was set: what ends by it ends earlier or later by so much');
    before = current;
    cancel = timers.after(lookEveryMs, look);
  };
  let cancel = timers.after(lookEveryMs, look);
  return { close: () => cancel() };
}
