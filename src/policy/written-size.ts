import { isJsonObject, type JsonObject } from '../core/json.ts';
import { countValues, namedSpans, type Span } from '../std/json-spans.ts';
import { isReadAnnotation } from './check-material.ts';

/** Of a policy, a provider or a route of a cluster: the largest policy that is good is of some 100 KiB, and 256 KiB take ten milliseconds to read. */
export const maxDocumentBytes = 256 * 1024;
/** Of the Secret of a client in a cluster: a key, some labels and annotations. */
export const maxClientBytes = 16 * 1024;
/** Of any object: a thousand matches are ten thousand values, and what has more takes longer than its size says. */
export const maxValues = 32 * 1024;

/** How large an object is as its author wrote it: bytes of JSON, and values, at most one more than `maxValues`. */
export interface WrittenSize {
  readonly bytes: number;
  readonly values: number;
}

/** What the server adds, and what is the same size or another by how an object was read. */
const uncounted: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'status']);

/**
 * Measures the object whose JSON begins at `from` without parsing it: what its author wrote and somebody reads. Its own status does not count, nor
 * `managedFields`, nor annotations, in which `kubectl apply` writes the whole object again; of the Secret of a client labels and the annotations
 * that are read do. Throws a SyntaxError.
 */
export function measureWritten(bytes: Uint8Array, from: number, isClient: boolean): WrittenSize {
  let size = { bytes: 0, values: 0 };
  const count = (span: Span): void => {
    const values = size.values > maxValues ? 0 : countValues(bytes, span, maxValues - size.values);
    size = { bytes: size.bytes + span.to - span.from, values: size.values + values };
  };
  for (const member of namedSpans(bytes, from)) {
    if (!uncounted.has(member.name)) count(member);
    if (member.name !== 'metadata' || !isClient) continue;
    for (const part of namedSpans(bytes, member.from)) {
      if (part.name === 'labels') count(part);
      if (part.name !== 'annotations') continue;
      for (const annotation of namedSpans(bytes, part.from)) if (isReadAnnotation(annotation.name)) count(annotation);
    }
  }
  return size;
}

/** The same of a document of a folder, as the API server would have it. */
export function writtenSize(document: JsonObject, isClient: boolean): WrittenSize {
  const { stringData, ...rest } = document;
  const data = isJsonObject(stringData) ? { data: { ...asObject(rest['data']), ...toBase64(stringData) } } : {};
  // Go writes these three as escapes.
  const text = JSON.stringify({ ...rest, ...data }).replaceAll(/[<>&]/g, String.raw`\u0000`);
  return measureWritten(Buffer.from(text), 0, isClient);
}

function asObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function toBase64(texts: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [
      name,
      typeof text === 'string' ? Buffer.from(text).toString('base64') : text,
    ]),
  );
}
