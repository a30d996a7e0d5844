import { widerPatterns } from '../policy/read-host.ts';
import { createMultiMap } from '../std/multi-map.ts';

/** Keys by host pattern, found at a pattern and below it at the cost of what is found. */
export interface PatternIndex {
  at(pattern: string): ReadonlySet<string>;
  /** The keys at the pattern and, where it is a wildcard, at everything that it covers. */
  atOrBelow(pattern: string): Iterable<string>;
  /** Those of these patterns that have keys. */
  patternsAtOrBelow(pattern: string): Iterable<string>;
  add(pattern: string, key: string): void;
  delete(pattern: string, key: string): void;
}

export function createPatternIndex(): PatternIndex {
  const keys = createMultiMap();
  /** Wildcard → the patterns next below it that have keys, or something below them that has. */
  const children = createMultiMap();
  function* patternsAtOrBelow(pattern: string): Iterable<string> {
    if (keys.has(pattern)) yield pattern;
    for (const child of children.get(pattern)) yield* patternsAtOrBelow(child);
  }
  return {
    at: (pattern) => keys.get(pattern),
    *atOrBelow(pattern) {
      for (const one of patternsAtOrBelow(pattern)) yield* keys.get(one);
    },
    patternsAtOrBelow,
    add: (pattern, key) => {
      keys.add(pattern, key);
      let child = pattern;
      for (const parent of widerPatterns(pattern)) {
        if (children.get(parent).has(child)) break;
        children.add(parent, child);
        child = parent;
      }
    },
    delete: (pattern, key) => {
      keys.delete(pattern, key);
      let child = pattern;
      for (const parent of widerPatterns(pattern)) {
        if (keys.has(child) || children.has(child)) break;
        children.delete(parent, child);
        child = parent;
      }
    },
  };
}
