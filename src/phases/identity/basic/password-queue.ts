import type { PasswordHash } from '../../../core/password-hash.ts';
import type { PasswordChecker, Timers } from '../../../core/ports.ts';
import { createCallSlots } from '../../../std/call-slots.ts';

/** Hands passwords on to be computed, a few at a time: a flood of wrong ones fills this and nothing else. */
export interface PasswordQueue {
  /** `busy` where too many wait, of all users or of this one, or where the turn came too late. Rejects as the checker does. */
  matches(user: string, hash: PasswordHash, password: string): Promise<boolean | 'busy'>;
  /** Whoever waits is told `busy`. */
  close(): void;
}

export interface PasswordQueueLimits {
  /** Computed at the same time. */
  readonly maxRunning: number;
  /** Of all users together, beside those that are computed. */
  readonly maxWaiting: number;
  /** Of one user, computed or waiting: who tries passwords of one name keeps nobody else away. */
  readonly maxPerUser: number;
  /** Milliseconds; who waited longer has gone. */
  readonly maxWaitMs: number;
}

export function createPasswordQueue(
  checker: PasswordChecker,
  timers: Timers,
  limits: PasswordQueueLimits,
): PasswordQueue {
  const slots = createCallSlots({ timers, running: limits.maxRunning, waiting: limits.maxWaiting });
  const perUser = new Map<string, number>();
  let closed = false;

  const compute = async (hash: PasswordHash, password: string): Promise<boolean | 'busy'> => {
    const release = await slots.take(limits.maxWaitMs);
    if (release === undefined) return 'busy';
    try {
      return await checker.matches(hash, password);
    } finally {
      release();
    }
  };
  return {
    matches: async (user, hash, password) => {
      const ofUser = perUser.get(user) ?? 0;
      if (closed || ofUser >= limits.maxPerUser) return 'busy';
      perUser.set(user, ofUser + 1);
      try {
        return await compute(hash, password);
      } finally {
        const left = (perUser.get(user) ?? 1) - 1;
        if (left === 0) perUser.delete(user);
        else perUser.set(user, left);
      }
    },
    close: () => {
      closed = true;
      slots.turnAway();
    },
  };
}
