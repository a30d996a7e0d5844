import type { Clock, Random } from '../../core/ports.ts';

/** Keeps calls away from somebody who does not answer. */
export interface CircuitBreaker {
  /** Undefined: not now. Who gets one tells how it went, exactly once. */
  enter(): BreakerPass | undefined;
  /** False from the failure that opened it until a call went well. */
  readonly isClosed: boolean;
}

export interface BreakerPass {
  succeeded(): void;
  failed(): void;
  /** The call says nothing of the other side. */
  abandoned(): void;
}

export interface BreakerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How many failures one after the other open it. */
  readonly failures: number;
  /** Milliseconds: how long it stays open the first time; twice as long after each probe that fails, up to the longest. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

/** After so many failures in a row nobody goes, for a pause that is up to a fifth longer by chance; then one goes, and the others when it did well. */
export function createCircuitBreaker({ clock, random, ...limits }: BreakerOptions): CircuitBreaker {
  let failures = 0;
  let openings = 0;
  /** Monotonic. */
  let openUntil = -Infinity;
  let isProbing = false;

  const open = (): void => {
    const pause = Math.min(limits.longestPauseMs, limits.firstPauseMs * 2 ** Math.min(openings, 20));
    openUntil = clock.monotonic() + pause * (1 + 0.2 * random.fraction());
    openings += 1;
  };
  const isClosed = (): boolean => openings === 0;
  return {
    enter() {
      const probes = !isClosed();
      if (probes && (isProbing || clock.monotonic() < openUntil)) return undefined;
      isProbing = probes;
      const end = (): void => {
        if (probes) isProbing = false;
      };
      return {
        succeeded() {
          end();
          failures = 0;
          openings = 0;
        },
        failed() {
          end();
          failures += 1;
          // Those who went before it opened fail after it, which says nothing new.
          if (probes || (isClosed() && failures >= limits.failures)) open();
        },
        abandoned: end,
      };
    },
    get isClosed() {
      return isClosed();
    },
  };
}
