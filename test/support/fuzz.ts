import fc from 'fast-check';

/** Begins where neither SEED nor FUZZ_SECONDS says otherwise: a change is judged by the same inputs as the one before it. */
const usualSeed = 20_261_121;
/** For making a failure small, on top of what the search may take. */
const shrinkSeconds = 20;

/** What a search has tried. */
export interface FuzzRun {
  readonly seed: number;
  readonly runs: number;
}

/** How long one property is searched: as usual, or as FUZZ_SECONDS says. */
function secondsOf(usualSeconds: number): number {
  const given = Number(process.env['FUZZ_SECONDS'] ?? '');
  return given > 0 ? given : usualSeconds;
}

/** For the `timeout` of a test with so many properties. */
export function fuzzTimeout(usualSeconds: number): { readonly timeout: number } {
  return { timeout: (secondsOf(usualSeconds) * 2 + shrinkSeconds + 30) * 1000 };
}

/**
 * Looks for an input that breaks the property until the time is over. `SEED=123` begins elsewhere, `SEED=123:4:0:1`, as a failure prints it, tries that one
 * input; with FUZZ_SECONDS alone each run begins elsewhere. Throws with the smallest input that was found.
 */
export async function fuzz<Input>(
  property: fc.IRawProperty<[Input]>,
  usualSeconds: number,
  print: (input: Input) => string,
): Promise<FuzzRun> {
  const { seed, path } = beginning();
  const seconds = secondsOf(usualSeconds);
  const search = {
    seed,
    path,
    endOnFailure: true,
    numRuns: 100_000_000,
    interruptAfterTimeLimit: seconds * 1000,
    markInterruptAsFailure: false,
  };
  const found = await fc.check(property, search);
  // Without an input: the time was over before the first run was, on a machine that is busy.
  if (!found.failed || found.counterexample === null) return { seed, runs: found.numRuns };
  const foundAt = found.counterexamplePath ?? '';
  const small = await fc.check(property, {
    seed,
    path: foundAt,
    numRuns: 1,
    interruptAfterTimeLimit: shrinkSeconds * 1000,
    markInterruptAsFailure: true,
  });
  const shown = small.counterexample === null ? found : small;
  const reason = shown.errorInstance instanceof Error ? shown.errorInstance.message : String(shown.errorInstance);
  const input = shown.counterexample === null ? '' : print(shown.counterexample[0]);
  throw new Error(
    `SEED=${seed}:${shown.counterexamplePath ?? foundAt} (run ${found.numRuns}, made small in ${small.numShrinks} steps)\n${reason}\n${input}`,
    { cause: shown.errorInstance },
  );
}

function beginning(): { readonly seed: number; readonly path: string } {
  const given = process.env['SEED'];
  if (given === undefined) {
    return { seed: process.env['FUZZ_SECONDS'] === undefined ? usualSeed : Date.now() & 0x7fff_ffff, path: '' };
  }
  const [seed = '', ...path] = given.split(':');
  return { seed: Number(seed), path: path.join(':') };
}
