import type { Clock } from '../core/ports.ts';
import { createBoundedCache } from '../std/bounded-cache.ts';

/** Keeps who fails again and again from costing more than a look-up. */
export interface FailureLimiter {
  /** Seconds until the client may try again; undefined where it may. */
  mustWait(client: string): number | undefined;
  failed(client: string): void;
}

const windowMs = 60_000;

/** At most so many failures a minute of one client (an address, a name); who never fails is never held up. The clients remembered are bounded. */
export function createFailureLimiter(maxFailures: number, clock: Clock): FailureLimiter {
  const windows = createBoundedCache<{ readonly since: number; readonly failures: number }>({
    maxEntries: 10_000,
    maxBytes: 10_000,
  });
  const current = (client: string): { readonly since: number; readonly failures: number } | undefined => {
    const known = windows.get(client);
    return known !== undefined && clock.monotonic() - known.since < windowMs ? known : undefined;
  };
  return {
    mustWait: (client) => {
      const known = current(client);
      if (known === undefined || known.failures < maxFailures) return undefined;
      return Math.ceil((known.since + windowMs - clock.monotonic()) / 1000);
    },
    failed: (client) => {
      const { since, failures } = current(client) ?? { since: clock.monotonic(), failures: 0 };
      windows.set(client, { since, failures: failures + 1 }, 1);
    },
  };
}
