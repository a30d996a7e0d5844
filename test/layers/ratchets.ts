import type { SourceFacts } from './scan-source.ts';

/** How many there may be in src. These numbers only go down: who removes one lowers them. */
export const ratchets = {
  any: 0,
  assertions: 10,
  suppressions: 1,
} as const;

export interface Counted {
  readonly any: readonly string[];
  readonly assertions: readonly string[];
  readonly suppressions: readonly string[];
}

/** The places of what the ratchets bound. */
export function countPlaces(files: readonly SourceFacts[]): Counted {
  const places = (linesOf: (file: SourceFacts) => readonly number[]): readonly string[] =>
    files.flatMap((file) => linesOf(file).map((line) => `${file.path}:${line}`));
  return {
    any: places(({ anys }) => anys),
    assertions: places(({ assertions }) => assertions),
    suppressions: places(({ suppressions }) => suppressions),
  };
}
