import type { JsonObject } from '../core/json.ts';
import { maxClientBytes, maxDocumentBytes } from '../policy/written-size.ts';

/** How large an object may be that is read whole, as its author wrote it (`measureWritten`), and what is kept of a larger one beside what says whose it is. */
export interface ObjectBounds {
  /** Of JSON. */
  readonly maxBytes: number;
  readonly keeps: KeptOfCut;
}

/** What is kept of an object that is too large to be read whole. */
export type KeptOfCut =
  /** Of a policy or provider what a refused policy denies (S4). */
  | { readonly kind: 'hosts' }
  /** Of a route all that is ever read of one, so that it is whole. */
  | { readonly kind: 'route' }
  /** Of a Secret or ConfigMap with a name its texts, where it has no more of them than anybody writes: it is whole then. */
  | { readonly kind: 'data' }
  /** Of the Secret of a client what selects it, and its key, which it holds on to (decision 25). */
  | { readonly kind: 'client'; readonly labels: ReadonlySet<string> };

/** Policies and providers. */
export const documentBounds: ObjectBounds = { maxBytes: maxDocumentBytes, keeps: { kind: 'hosts' } };
export const routeBounds: ObjectBounds = { maxBytes: maxDocumentBytes, keeps: { kind: 'route' } };
/** ConfigMaps and Secrets with a name: key sets, certificates, passwords, which are few and long texts. */
export const materialBounds: ObjectBounds = { maxBytes: 64 * 1024, keeps: { kind: 'data' } };

/** Secrets of clients, selected by labels of these names. */
export function clientBounds(labels: Iterable<string>): ObjectBounds {
  return { maxBytes: maxClientBytes, keeps: { kind: 'client', labels: new Set(labels) } };
}

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
