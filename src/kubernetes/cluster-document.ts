import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { specKey, type AuthorDocument } from '../policy/spec.ts';
import type { ObjectMeta } from './api-object.ts';

/** A document out of the API server, and what the writer of status has to know of its object. */
export interface ClusterDocument {
  readonly document: AuthorDocument;
  readonly kind: string;
  readonly meta: ObjectMeta;
  /** The JSON of `status` as the server has it; empty where there is none. */
  readonly status: string;
}

/**
 * The document that an object is: its kind, name and everything that its author wrote, without what the server adds. The value is kept as
 * text, which takes a fifth of the memory, and made again where somebody asks for it later.
 */
export function toClusterDocument(object: JsonObject, meta: ObjectMeta, kind: string): ClusterDocument {
  const { metadata: _metadata, status, ...authored } = object;
  const { namespace, name, uid, generation, createdAt } = meta;
  const value: JsonObject = { ...authored, metadata: namespace === '' ? { name } : { namespace, name } };
  const text = JSON.stringify(value);
  const source = specKey({ kind, namespace, name });
  let kept = new WeakRef(value);
  const document: AuthorDocument = {
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
  return { document, kind, meta, status: status === undefined ? '' : JSON.stringify(status) };
}
