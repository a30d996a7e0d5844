import type { PasswordHash } from '../../../core/password-hash.ts';
import type { Clock, PasswordChecker } from '../../../core/ports.ts';

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

interface Waiting {
  readonly since: number;
  readonly run: () => void;
  readonly turnAway: () => void;
}

export function createPasswordQueue(
  checker: PasswordChecker,
  clock: Clock,
  limits: PasswordQueueLimits,
): PasswordQueue {
  const waiting: Waiting[] = [];
  const perUser = new Map<string, number>();
  let running = 0;
  let closed = false;

  const goOn = (): void => {
    while (running < limits.maxRunning) {
      const next = waiting.shift();
      if (next === undefined) return;
      if (clock.monotonic() - next.since > limits.maxWaitMs) next.turnAway();
      else next.run();
    }
  };
  const compute = async (hash: PasswordHash, password: string): Promise<boolean> => {
    running++;
    try {
      return await checker.matches(hash, password);
    } finally {
      running--;
      goOn();
    }
  };
  const wait = (hash: PasswordHash, password: string): Promise<boolean | 'busy'> => {
    const { promise, resolve } = Promise.withResolvers<boolean | 'busy'>();
    const run = (): void => resolve(compute(hash, password));
    waiting.push({ since: clock.monotonic(), run, turnAway: () => resolve('busy') });
    return promise;
  };
  return {
    matches: async (user, hash, password) => {
      const isFull = running >= limits.maxRunning && waiting.length >= limits.maxWaiting;
      const ofUser = perUser.get(user) ?? 0;
      if (closed || isFull || ofUser >= limits.maxPerUser) return 'busy';
      perUser.set(user, ofUser + 1);
      try {
        return await (running < limits.maxRunning ? compute(hash, password) : wait(hash, password));
      } finally {
        const left = (perUser.get(user) ?? 1) - 1;
        if (left === 0) perUser.delete(user);
        else perUser.set(user, left);
      }
    },
    close: () => {
      closed = true;
      for (const { turnAway } of waiting.splice(0)) turnAway();
    },
  };
}
