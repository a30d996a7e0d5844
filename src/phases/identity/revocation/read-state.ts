import type { Clock } from '../../../core/ports.ts';

/** Whether a list that others keep counts as read. */
export interface ReadState {
  /** That it was read; `ageMs` ago where that is said, and it is no earlier than what is known. */
  confirm(ageMs?: number): void;
  fail(why: string): void;
  /** Why it does not count; undefined while it does. */
  failure(): string | undefined;
}

/** It counts from the first reading on, and for `graceMs` after the last one. By the monotonic clock, so that no step of the wall clock matters. */
export function createReadState(clock: Clock, graceMs: number): ReadState {
  let confirmedAt: number | undefined;
  let lastFailure: string | undefined;
  return {
    confirm: (ageMs = 0) => {
      confirmedAt = Math.max(confirmedAt ?? -Infinity, clock.monotonic() - ageMs);
      lastFailure = undefined;
    },
    fail: (why) => {
      lastFailure = why;
    },
    failure: () => {
      if (confirmedAt === undefined) return lastFailure ?? 'it was not read yet';
      const seconds = Math.floor((clock.monotonic() - confirmedAt) / 1000);
      if (seconds * 1000 <= graceMs) return undefined;
      return `it was last read ${seconds} s ago${lastFailure === undefined ? '' : `: ${lastFailure}`}`;
    },
  };
}
