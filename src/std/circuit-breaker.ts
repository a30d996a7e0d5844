import { createBackOff, type BackOffLimits, type Chance } from './back-off.ts';

/** Keeps calls away from somebody who does not answer. */
export interface CircuitBreaker {
  /** Undefined: not now. Who gets one tells how it went, exactly once. */
  enter(): BreakerPass | undefined;
  /** Whether `enter` would let somebody in. */
  readonly admits: boolean;
  /** False from the failure that opened it until a call went well. */
  readonly isClosed: boolean;
}

export interface BreakerPass {
  succeeded(): void;
  failed(failure?: BreakerFailure): void;
  /** The call says nothing of the other side. */
  abandoned(): void;
}

export interface BreakerFailure {
  /** It says by itself that the next calls would fail as well: the breaker opens however few failed before. */
  readonly isCertain?: boolean;
  /** Milliseconds: what the other side asks to be left alone for. */
  readonly askedMs?: number | undefined;
}

export interface BreakerOptions {
  readonly clock: { monotonic(): number };
  readonly random: Chance;
  /** How many failures one after the other open it. */
  readonly failures: number;
  /** How long it stays open: longer after each probe that fails. */
  readonly pause: BackOffLimits;
}

/** After so many failures in a row nobody goes for a pause; then one goes, and the others when it did well. */
export function createCircuitBreaker({ clock, random, ...limits }: BreakerOptions): CircuitBreaker {
  const pauses = createBackOff(limits.pause, random);
  let failures = 0;
  /** Monotonic; undefined while it is closed. */
  let openUntil: number | undefined;
  let isProbing = false;
  const admits = (): boolean => openUntil === undefined || (!isProbing && clock.monotonic() >= openUntil);
  return {
    enter() {
      if (!admits()) return undefined;
      const probes = openUntil !== undefined;
      isProbing = probes;
      const end = (): void => {
        if (probes) isProbing = false;
      };
      return {
        succeeded() {
          end();
          failures = 0;
          openUntil = undefined;
          pauses.reset();
        },
        failed({ isCertain = false, askedMs } = {}) {
          end();
          failures += 1;
          // Those who went before it opened fail after it, which says nothing new.
          const isNews = probes || (openUntil === undefined && (isCertain || failures >= limits.failures));
          if (isNews) openUntil = clock.monotonic() + pauses.next(askedMs);
        },
        abandoned: end,
      };
    },
    get admits() {
      return admits();
    },
    get isClosed() {
      return openUntil === undefined;
    },
  };
}
