import type { JsonObject } from '../core/json.ts';

/** How large an object may be that is read whole, as JSON, and what is kept of a larger one beside what says whose it is. */
export interface ObjectBounds {
  readonly maxBytes: number;
  /** True: a larger one keeps its `data`, where that has no more keys than anybody writes. */
  readonly keepsData: boolean;
}

/** Of any object: a thousand matches are ten thousand values, and what has more takes longer than its size says. */
export const maxValues = 32 * 1024;
/** Policies, providers and routes: the largest policy that is good is of some 100 KiB, and 256 KiB take ten milliseconds to read. */
export const documentBounds: ObjectBounds = { maxBytes: 256 * 1024, keepsData: false };
/** ConfigMaps and Secrets with a name: key sets, certificates, passwords, which are few and long texts. */
export const materialBounds: ObjectBounds = { maxBytes: 64 * 1024, keepsData: true };
/** Secrets of clients: a key, some annotations, and perhaps what `kubectl apply` writes of both. */
export const clientBounds: ObjectBounds = { maxBytes: 16 * 1024, keepsData: false };

const cutObjects = new WeakMap<JsonObject, ObjectBounds>();

/** Remembers of an object that it was larger than that, and is not whole. */
export function markCut<T extends JsonObject>(object: T, bounds: ObjectBounds): T {
  cutObjects.set(object, bounds);
  return object;
}

/** The bounds that the object was larger than, so that it is not whole; undefined where it is. */
export function boundsOfCut(object: JsonObject): ObjectBounds | undefined {
  return cutObjects.get(object);
}
