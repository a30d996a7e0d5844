import { bringEnvoy, findEnvoy, type Environment } from '../../src/dev/envoy-binary.ts';

/** A real thing that suites need and that does not come with `npm ci`. */
export interface Part {
  readonly name: string;
  /** Where it is; undefined where it has to be brought first. */
  find(environment: Environment): Promise<string | undefined>;
  /** Finds it or brings it into the cache, saying so; throws with the reason and the remedy. Safe to run again and at the same time. */
  bring(environment: Environment, progress: (line: string) => void): Promise<string>;
}

export const envoyPart: Part = {
  name: 'Envoy',
  find: findEnvoy,
  bring: (environment, progress) => bringEnvoy({ environment, progress }),
};

export const parts: readonly Part[] = [envoyPart];

/** True where a missing part is a failure and not a reason to skip. */
export function partsAreRequired(environment: Environment): boolean {
  return environment['CI'] === 'true';
}
