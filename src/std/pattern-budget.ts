/** What is left for the regular expressions of one document, in units of work: some 50 ns to compile, or two bytes to keep. */
export interface PatternBudget {
  /** Takes the work of one, by its name; one that was taken before is there already and takes nothing. False where there is not enough left. */
  spend(name: string, work: number): boolean;
  /** False once there was not enough: then none needs to be compiled any more. */
  readonly isLeft: boolean;
}

export function createPatternBudget(work: number): PatternBudget {
  let left = work;
  const taken = new Set<string>();
  return {
    spend: (name, wanted) => {
      if (!taken.has(name)) left -= wanted;
      taken.add(name);
      return left >= 0;
    },
    get isLeft() {
      return left > 0;
    },
  };
}

/** For what was counted before. */
export const countedBefore: PatternBudget = { spend: () => true, isLeft: true };
