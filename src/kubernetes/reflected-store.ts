import type { JsonObject } from '../core/json.ts';
import { readMeta, type ObjectMeta } from './api-object.ts';
import type { WatchEvent } from './kubernetes-api.ts';

/** What became different. An object that was deleted and made anew under its name is among both: removed first, and then added. */
export interface ReflectedChange<T> {
  readonly removed: readonly T[];
  readonly changed: readonly T[];
}

export interface ReflectedStore<T> {
  /** What will be kept of an object. Changes nothing. Throws an ApiFailure where it is none. */
  read(object: JsonObject): ReadObject<T>;
  /** All that there is: what is not among it was deleted while nobody looked. */
  replace(objects: readonly ReadObject<T>[]): void;
  update(events: readonly WatchEvent[]): void;
  /** How many objects are kept. */
  size(): number;
}

export interface ReadObject<T> {
  readonly key: string;
  readonly kept: Kept<T>;
}

interface Kept<T> {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly item: T;
}

/**
 * Keeps one item of each object and tells what became different; a version that is known is not told again. `convert` gets the item of the
 * version before, where there is one. Where the listener throws, nothing was told: the same difference is found again.
 */
export function createReflectedStore<T>(
  convert: (object: JsonObject, meta: ObjectMeta, known: T | undefined) => T,
  onChange: (change: ReflectedChange<T>) => void,
): ReflectedStore<T> {
  const kept = new Map<string, Kept<T>>();
  let isFirst = true;
  const inOne = (work: (touch: (key: string) => void) => void): void => {
    const before = new Map<string, Kept<T> | undefined>();
    try {
      work((key) => {
        if (!before.has(key)) before.set(key, kept.get(key));
      });
      const change = differenceOf(before, kept);
      if (isFirst || change.removed.length > 0 || change.changed.length > 0) onChange(change);
      isFirst = false;
    } catch (thrown) {
      for (const [key, known] of before) {
        if (known === undefined) kept.delete(key);
        else kept.set(key, known);
      }
      throw thrown;
    }
  };
  const read = (object: JsonObject): ReadObject<T> => {
    const meta = readMeta(object);
    const { uid, resourceVersion } = meta;
    const key = keyOf(meta);
    const known = kept.get(key);
    if (known?.uid === uid && known.resourceVersion === resourceVersion) return { key, kept: known };
    return { key, kept: { uid, resourceVersion, item: convert(object, meta, known?.item) } };
  };
  const takeIn = ({ key, kept: next }: ReadObject<T>, touch: (key: string) => void): void => {
    if (kept.get(key) === next) return;
    touch(key);
    kept.set(key, next);
  };
  const drop = (key: string, touch: (key: string) => void): void => {
    touch(key);
    kept.delete(key);
  };
  return {
    size: () => kept.size,
    read,
    replace: (objects) =>
      inOne((touch) => {
        const present = new Set(objects.map(({ key }) => key));
        for (const object of objects) takeIn(object, touch);
        for (const key of kept.keys()) if (!present.has(key)) drop(key, touch);
      }),
    update: (events) =>
      inOne((touch) => {
        for (const { type, object } of events) {
          if (type === 'DELETED') drop(keyOf(readMeta(object)), touch);
          else takeIn(read(object), touch);
        }
      }),
  };
}

function keyOf({ namespace, name }: ObjectMeta): string {
  return `${namespace}/${name}`;
}

function differenceOf<T>(
  before: ReadonlyMap<string, Kept<T> | undefined>,
  now: ReadonlyMap<string, Kept<T>>,
): ReflectedChange<T> {
  const removed: T[] = [];
  const changed: T[] = [];
  for (const [key, known] of before) {
    const next = now.get(key);
    if (known !== undefined && known.uid !== next?.uid) removed.push(known.item);
    if (next !== undefined && next !== known) changed.push(next.item);
  }
  return { removed, changed };
}
