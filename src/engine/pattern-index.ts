import { widerPatterns } from '../policy/read-host.ts';
import { createMultiMap } from '../std/multi-map.ts';

/** Keys by host pattern, found at a pattern and below it at the cost of what is found. */
export interface PatternIndex {
  at(pattern: string): ReadonlySet<string>;
  /** The keys at the pattern and, where it is a wildcard, at everything that it covers. */
  atOrBelow(pattern: string): Iterable<string>;
  add(pattern: string, key: string): void;
  delete(pattern: string, key: string): void;
}

export function createPatternIndex(): PatternIndex {
  const keys = createMultiMap();
  /** Wildcard → the patterns next below it that have keys, or something below them that has. */
  const children = createMultiMap();
  function* atOrBelow(pattern: string): Iterable<string> {
    yield* keys.get(pattern);
    for (const child of children.get(pattern)) yield* atOrBelow(child);
  }
  return {
    at: (pattern) => keys.get(pattern),
    atOrBelow,
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
