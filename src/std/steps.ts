/** A piece of work that can be put down after each of its steps. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** How long work holds everybody else, and how it lets them have their turn. */
export interface Pace {
  /** Milliseconds, since an arbitrary start. */
  readonly now: () => number;
  /** Milliseconds of work between two pauses. */
  readonly sliceMs: number;
  readonly pause: () => Promise<void>;
}

/** Work that cannot be cut. */
export function* oneStep<T>(work: () => T): Steps<T> {
  yield;
  return work();
}

/** Does the work to its end, now. */
export function runAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Does the work in slices; rejects with what it throws. */
export async function runInSlices<T>(steps: Steps<T>, { now, sliceMs, pause }: Pace): Promise<T> {
  for (;;) {
    const end = now() + sliceMs;
    do {
      const { done, value } = steps.next();
      if (done === true) return value;
    } while (now() < end);
    await pause();
  }
}
