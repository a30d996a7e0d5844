/** What RE2 makes of a pattern while it searches: states, which stay for the next search. */
export interface SearchStates {
  /** Bytes that it may still take, and may take at most. */
  readonly memBudget: number;
  readonly maxMem: number;
  clearCache(): void;
}

/** Holds what all patterns together keep of their searches within a bound. */
export interface SearchMemory {
  /** To be called with `before` what was left of the budget; where all together hold too much, all of them begin anew. */
  searched(states: SearchStates, before: number): void;
  /** Bytes that were taken since they began anew; those of patterns that are gone are among them. */
  readonly bytes: number;
}

export function createSearchMemory(maxBytes: number): SearchMemory {
  let bytes = 0;
  let noted = new WeakSet<SearchStates>();
  let grown: WeakRef<SearchStates>[] = [];
  return {
    searched: (states, before) => {
      const taken = before - states.memBudget;
      if (taken === 0) return;
      // It began anew by itself.
      bytes += taken > 0 ? taken : states.maxMem - states.memBudget;
      if (!noted.has(states)) {
        noted.add(states);
        grown.push(new WeakRef(states));
      }
      if (bytes <= maxBytes) return;
      for (const one of grown) one.deref()?.clearCache();
      bytes = 0;
      noted = new WeakSet();
      grown = [];
    },
    get bytes() {
      return bytes;
    },
  };
}
