import { ownCopy } from './own-copy.ts';

/**
 * What was made for a key, made once for as many keys as it may keep; beyond these it is made each time. `make` must depend on the key alone,
 * and what it gives must not be changed.
 */
export function createSmallMemo<K, V>(maxEntries: number): (key: K, make: () => V) => V {
  const known = new Map<K, { readonly made: V }>();
  return (key, make) => {
    const before = known.get(key);
    if (before !== undefined) return before.made;
    const made = make();
    if (known.size < maxEntries) known.set(key, { made });
    return made;
  };
}

/** The same test with its good answers remembered, as many as may be kept: what was refused is tested each time. */
export function rememberPassed(maxEntries: number, test: (text: string) => boolean): (text: string) => boolean {
  const passed = new Set<string>();
  return (text) => {
    if (passed.has(text)) return true;
    if (!test(text)) return false;
    if (passed.size < maxEntries) passed.add(ownCopy(text));
    return true;
  };
}
