import { LRUCache } from 'lru-cache';
import { ownCopy } from './own-copy.ts';

export interface BoundedCache<V extends object> {
  get(key: string): V | undefined;
  /** Keeps the value, of about `size` bytes; what was used least recently goes where there is no room. */
  set(key: string, value: V, size: number): void;
  delete(key: string): void;
  /** Takes out every entry for which `test` is true. Linear in the number of entries. */
  deleteWhere(test: (value: V, key: string) => boolean): void;
  readonly entries: number;
  /** The sum of the sizes. */
  readonly bytes: number;
}

/**
 * A least-recently-used cache bounded by its number of entries and by their total size. An entry larger than the whole is not kept, and with
 * room for none (0) none is.
 * Keys are copied, so that one that was cut out of a message does not keep the message.
 */
export function createBoundedCache<V extends object>(limits: {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Told of every value that is not kept any more, for whatever reason. */
  readonly onGone?: (value: V, key: string) => void;
}): BoundedCache<V> {
  const { maxEntries, maxBytes, onGone } = limits;
  // Its lists have room for every entry from the start, some 200 kB for ten thousand: most caches of most services stay empty.
  let cache: LRUCache<string, V> | undefined;
  const create = (): LRUCache<string, V> =>
    new LRUCache({ max: maxEntries, maxSize: maxBytes, ...(onGone && { dispose: onGone }) });
  return {
    get: (key) => cache?.get(key),
    set: (key, value, size) => {
      // To the library 0 is no bound at all.
      if (maxEntries <= 0 || maxBytes <= 0) return;
      cache ??= create();
      cache.set(ownCopy(key), value, { size: Math.max(1, Math.ceil(size)) });
    },
    delete: (key) => {
      cache?.delete(key);
    },
    deleteWhere: (test) => {
      if (cache === undefined) return;
      // Gathered first: the cache's own iteration does not bear deletion.
      const doomed = Array.from(cache.entries()).filter(([key, value]) => test(value, key));
      for (const [key] of doomed) cache.delete(key);
    },
    get entries() {
      return cache?.size ?? 0;
    },
    get bytes() {
      return cache?.calculatedSize ?? 0;
    },
  };
}
