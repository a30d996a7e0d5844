import type { Clock } from '../core/ports.ts';
import { sayWhyNotWritten } from './api-failure.ts';

/** Says that something that is tried again and again does not work. */
export interface Complaint {
  failed(thrown: unknown): void;
  succeeded(): void;
}

/** How long something that worked may fail before it is worth a word: an API server that is begun anew is not. */
const patienceMs = 10_000;

/** Tells of a failure once until it works again: at once where it never worked, else after a while. */
export function createComplaint(clock: Clock, say: (error: string) => void): Complaint {
  let hasWorked = false;
  let since: number | undefined;
  let isSaid = false;
  return {
    failed: (thrown) => {
      since ??= clock.monotonic();
      if (isSaid || (hasWorked && clock.monotonic() - since < patienceMs)) return;
      isSaid = true;
      say(sayWhyNotWritten(thrown));
    },
    succeeded: () => {
      hasWorked = true;
      since = undefined;
      isSaid = false;
    },
  };
}
