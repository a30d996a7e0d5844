import { Failure } from '../core/failure.ts';
import type { Clock, Random, Timers } from '../core/ports.ts';
import { ApiFailure, isApiFailure, isForAll } from './api-failure.ts';
import { createBackOff } from './back-off.ts';

/**
 * Lets questions through to a server that requests wait for: a bounded number at once, a bounded number waiting for a bounded time, and none
 * while the server does not answer, but for one from time to time that finds out whether it does again.
 */
export interface ReviewGate {
  /** Rejects with what `ask` does, or with a Failure `review_skipped` where it was not called. */
  run<T>(ask: () => Promise<T>): Promise<T>;
}

export interface ReviewLimits {
  readonly maxAtOnce: number;
  readonly maxWaiting: number;
  readonly maxWaitMs: number;
  /** So many failures one after the other, and nobody is asked for a while. */
  readonly failuresToPause: number;
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
}

/** Short pauses: requests are denied for as long as one lasts. */
export const reviewLimits: ReviewLimits = {
  maxAtOnce: 32,
  maxWaiting: 512,
  maxWaitMs: 1000,
  failuresToPause: 3,
  firstPauseMs: 500,
  maxPauseMs: 5000,
};

export interface ReviewGatePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly onPause: (thrown: unknown) => void;
  readonly onAnswer: () => void;
}

export function createReviewGate(limits: ReviewLimits, ports: ReviewGatePorts): ReviewGate {
  const pause = createPause(limits, ports);
  const line = createLine(limits, ports.timers);
  const run = async <T>(ask: () => Promise<T>): Promise<T> => {
    // One that waits for its turn may find that the server has gone away meanwhile.
    if (pause.isOn()) throw skipped('the API server did not answer the last questions and is not asked for a moment');
    await line.enter();
    try {
      const probes = pause.admit();
      if (probes === undefined) throw skipped('the API server did not answer the last questions');
      return await answered(ask, probes);
    } finally {
      line.leave();
    }
  };
  const answered = async <T>(ask: () => Promise<T>, isProbe: boolean): Promise<T> => {
    try {
      const answer = await ask();
      pause.answered();
      return answer;
    } catch (thrown) {
      pause.failed(thrown, isProbe);
      if (pause.isOn()) line.refuseAll(skipped('the API server does not answer'));
      throw thrown;
    }
  };
  return { run };
}

function skipped(why: string): Failure {
  return new Failure('review_skipped', why);
}

interface Pause {
  isOn(): boolean;
  /** Whether the question is the one that finds out; undefined where it may not be asked. */
  admit(): boolean | undefined;
  answered(): void;
  failed(thrown: unknown, isProbe: boolean): void;
}

function createPause(limits: ReviewLimits, { clock, random, onPause, onAnswer }: ReviewGatePorts): Pause {
  const backOff = createBackOff({ firstMs: limits.firstPauseMs, maxMs: limits.maxPauseMs }, random);
  let failures = 0;
  let until: number | undefined;
  let isProbing = false;
  const isOn = (): boolean => until !== undefined && (isProbing || clock.monotonic() < until);
  return {
    isOn,
    admit: () => {
      if (until === undefined) return false;
      if (isOn()) return undefined;
      isProbing = true;
      return true;
    },
    answered: () => {
      failures = 0;
      until = undefined;
      isProbing = false;
      backOff.reset();
      onAnswer();
    },
    failed: (thrown, isProbe) => {
      if (isProbe) isProbing = false;
      // A question that the server does not take says nothing of the others.
      if (!isForOthersToo(thrown)) return;
      failures++;
      const isCertain = isApiFailure(thrown, 'api_forbidden', 'api_throttled') || asksToWait(thrown);
      if (!isCertain && failures < limits.failuresToPause) return;
      if (until !== undefined && !isProbe) return;
      until = clock.monotonic() + backOff.next(thrown instanceof ApiFailure ? thrown.retryAfterMs : undefined);
      onPause(thrown);
    },
  };
}

function asksToWait(thrown: unknown): boolean {
  return thrown instanceof ApiFailure && thrown.retryAfterMs !== undefined;
}

function isForOthersToo(thrown: unknown): boolean {
  return isForAll(thrown) || isApiFailure(thrown, 'api_forbidden', 'api_not_found', 'api_malformed', 'api_too_large');
}

interface Line {
  /** Resolves when it is one's turn; rejects where too many wait, or it takes too long. */
  enter(): Promise<void>;
  leave(): void;
  refuseAll(failure: Failure): void;
}

interface Waiting {
  readonly go: () => void;
  readonly refuse: (failure: Failure) => void;
}

function createLine({ maxAtOnce, maxWaiting, maxWaitMs }: ReviewLimits, timers: Timers): Line {
  let busy = 0;
  const waiting = new Set<Waiting>();
  const wait = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const end = (then: () => void): void => {
        cancel();
        waiting.delete(one);
        then();
      };
      const one: Waiting = { go: () => end(resolve), refuse: (failure) => end(() => reject(failure)) };
      const cancel = timers.after(maxWaitMs, () => one.refuse(skipped('too many questions waited for the API server')));
      waiting.add(one);
    });
  return {
    enter: async () => {
      if (busy < maxAtOnce) {
        busy++;
        return;
      }
      if (waiting.size >= maxWaiting) throw skipped('too many questions wait for the API server');
      await wait();
    },
    leave: () => {
      // Whoever goes on takes the place of the one that leaves.
      const [next] = waiting;
      if (next === undefined) busy--;
      else next.go();
    },
    refuseAll: (failure) => {
      for (const one of waiting) one.refuse(failure);
    },
  };
}
