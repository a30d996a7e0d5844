import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { specKey, type AuthorDocument } from '../policy/spec.ts';
import type { ObjectMeta } from './api-object.ts';

/** A document out of the API server, and what the writer of status has to know of its object. */
export interface ClusterDocument {
  readonly document: AuthorDocument;
  readonly kind: string;
  readonly meta: ObjectMeta;
  /** The JSON of what its author wrote. */
  readonly text: string;
  /** The JSON of `status` as the server has it; empty where there is none. */
  readonly status: string;
}

/**
 * The document that an object is: its kind, name and everything that its author wrote, without what the server adds. The value is kept as
 * text, which takes a fifth of the memory, and made again where somebody asks for it later. `known` is of the version before: where only
 * its status or its labels changed, the document is the same one, and nobody has to read it again.
 */
export function toClusterDocument(
  object: JsonObject,
  meta: ObjectMeta,
  kind: string,
  known?: ClusterDocument,
): ClusterDocument {
  const { metadata: _metadata, status: statusValue, ...authored } = object;
  const { namespace, name } = meta;
  const value: JsonObject = { ...authored, metadata: namespace === '' ? { name } : { namespace, name } };
  const text = JSON.stringify(value);
  const status = statusValue === undefined ? '' : JSON.stringify(statusValue);
  const isKnown = known?.text === text && isSameVersion(known.meta, meta);
  if (isKnown) return { ...known, meta, status };
  return { document: toDocument(value, text, meta, kind), kind, meta, text, status };
}

function isSameVersion(a: ObjectMeta, b: ObjectMeta): boolean {
  return a.uid === b.uid && a.generation === b.generation && a.createdAt === b.createdAt;
}

function toDocument(
  value: JsonObject,
  text: string,
  { namespace, name, uid, generation, createdAt }: ObjectMeta,
  kind: string,
): AuthorDocument {
  const source = specKey({ kind, namespace, name });
  let kept = new WeakRef(value);
  return {
    get value(): JsonValue {
      const known = kept.deref();
      if (known !== undefined) return known;
      const made: unknown = JSON.parse(text);
      if (!isJsonObject(made)) return null;
      kept = new WeakRef(made);
      return made;
    },
    source,
    problems: [],
    placeOf: () => ({ source, line: undefined, column: undefined }),
    version: { uid, generation, createdAt },
  };
}
