import { Failure } from '../core/failure.ts';
import type { Clock, Random, Timers } from '../core/ports.ts';
import { createCallSlots } from '../std/call-slots.ts';
import { createCircuitBreaker, type BreakerFailure, type BreakerPass } from '../std/circuit-breaker.ts';
import { ApiFailure, isApiFailure, isForAll } from './api-failure.ts';

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
  /** Called with each failure while nobody is asked. */
  readonly onPause: (thrown: unknown) => void;
  readonly onAnswer: () => void;
}

export function createReviewGate(limits: ReviewLimits, ports: ReviewGatePorts): ReviewGate {
  const { clock, random, timers, onPause, onAnswer } = ports;
  const pause = { firstMs: limits.firstPauseMs, maxMs: limits.maxPauseMs };
  const breaker = createCircuitBreaker({ clock, random, failures: limits.failuresToPause, pause });
  const slots = createCallSlots({ timers, running: limits.maxAtOnce, waiting: limits.maxWaiting });
  const answered = async <T>(ask: () => Promise<T>, pass: BreakerPass): Promise<T> => {
    try {
      const answer = await ask();
      pass.succeeded();
      onAnswer();
      return answer;
    } catch (thrown) {
      // A question that the server does not take says nothing of the others.
      if (isForOthersToo(thrown)) pass.failed(readFailure(thrown));
      else pass.abandoned();
      if (!breaker.admits) {
        onPause(thrown);
        slots.turnAway();
      }
      throw thrown;
    }
  };
  return {
    run: async (ask) => {
      if (!breaker.admits) throw unanswered();
      const release = await slots.take(limits.maxWaitMs);
      if (release === undefined)
        throw breaker.admits ? skipped('too many questions wait for the API server') : unanswered();
      try {
        // One that waited for its turn may find that the server has gone away meanwhile.
        const pass = breaker.enter();
        if (pass === undefined) throw unanswered();
        return await answered(ask, pass);
      } finally {
        release();
      }
    },
  };
}

function unanswered(): Failure {
  return skipped('the API server did not answer the last questions and is not asked for a moment');
}

function skipped(why: string): Failure {
  return new Failure('review_skipped', why);
}

function readFailure(thrown: unknown): BreakerFailure {
  const askedMs = thrown instanceof ApiFailure ? thrown.retryAfterMs : undefined;
  return { isCertain: askedMs !== undefined || isApiFailure(thrown, 'api_forbidden', 'api_throttled'), askedMs };
}

function isForOthersToo(thrown: unknown): boolean {
  return isForAll(thrown) || isApiFailure(thrown, 'api_forbidden', 'api_not_found', 'api_malformed', 'api_too_large');
}
