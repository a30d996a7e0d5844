/** Many values for each key; a key without values is not kept. */
export interface MultiMap {
  get(key: string): ReadonlySet<string>;
  has(key: string): boolean;
  add(key: string, value: string): void;
  delete(key: string, value: string): void;
}

const none: ReadonlySet<string> = new Set();

export function createMultiMap(): MultiMap {
  const sets = new Map<string, Set<string>>();
  return {
    get: (key) => sets.get(key) ?? none,
    has: (key) => sets.has(key),
    add: (key, value) => {
      const set = sets.get(key);
      if (set === undefined) sets.set(key, new Set([value]));
      else set.add(value);
    },
    delete: (key, value) => {
      const set = sets.get(key);
      set?.delete(value);
      if (set?.size === 0) sets.delete(key);
    },
  };
}
