import type { Environment } from '../../../src/dev/install-in-cache.ts';

/** A real thing that suites need and that does not come with `npm ci`. */
export interface Part {
  readonly name: string;
  /** Where it is; undefined where it has to be brought first. */
  find(environment: Environment): Promise<string | undefined>;
  /** Finds it or brings it into the cache, saying so; throws with the reason and the remedy. Safe to run again and at the same time. */
  bring(environment: Environment, progress: (line: string) => void): Promise<string>;
}
