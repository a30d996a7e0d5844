/** Values in order, each once. Finding a place is logarithmic; putting one in moves those behind it, which for tens of thousands takes microseconds. */
export interface SortedList<T> {
  readonly items: readonly T[];
  add(item: T): void;
  delete(item: T): void;
  /** How many come before it. */
  rank(item: T): number;
}

/** `compare` is 0 for an item and itself alone. */
export function createSortedList<T extends object>(compare: (a: T, b: T) => number): SortedList<T> {
  const items: T[] = [];
  const comesBefore = (at: number, item: T): boolean => {
    const other = items[at];
    return other !== undefined && compare(other, item) < 0;
  };
  const isAt = (at: number, item: T): boolean => {
    const other = items[at];
    return other !== undefined && compare(other, item) === 0;
  };
  const rank = (item: T): number => {
    let [low, high] = [0, items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comesBefore(middle, item)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    items,
    rank,
    add: (item) => {
      const at = rank(item);
      if (!isAt(at, item)) items.splice(at, 0, item);
    },
    delete: (item) => {
      const at = rank(item);
      if (isAt(at, item)) items.splice(at, 1);
    },
  };
}
