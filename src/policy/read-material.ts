import { isJsonObject, type JsonValue } from '../core/json.ts';
import type { ProblemList } from './problem-list.ts';
import { apiKeyField, sealApiKey } from './providers/sealed-api-key.ts';
import type { SpecName } from './spec-name.ts';
import type { AuthorDocument } from './spec.ts';

/** A Secret's or ConfigMap's texts by key. Never logged and never part of a Problem. */
export interface Material extends SpecName {
  readonly kind: string;
  /** The file that it is in. */
  readonly source: string;
  /** The one reference that finds it; absent: all that name it, or whose labels it has. */
  readonly reference?: string;
  /** Of a Secret `api-key` is sealed. */
  readonly data: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  /** Those of Portcullis: `portcullis.dev/client-id`. */
  readonly annotations: ReadonlyMap<string, string>;
  /** Why nothing of it can be used, as a sentence without its end. */
  readonly refusal?: string;
  /** Deleted, and waiting for its finalizers. */
  readonly isLeaving: boolean;
}

/** Where annotations of ours begin. */
export const ownAnnotations = 'portcullis.dev/';

/** Reads `data` (base64 in a Secret) and, for a Secret, `stringData`, which wins as it does in Kubernetes. */
export function readMaterial(
  head: SpecName & { readonly kind: string },
  { value, source, reference, refusal }: AuthorDocument,
  problems: ProblemList,
): Material {
  const document = isJsonObject(value) ? value : {};
  const metadata = document['metadata'];
  const annotations = textsOf(metadata, 'annotations').filter(([name]) => name.startsWith(ownAnnotations));
  return {
    source,
    ...(reference === undefined ? {} : { reference }),
    ...(refusal === undefined ? {} : { refusal }),
    kind: head.kind,
    namespace: head.namespace,
    name: head.name,
    data: readData(head.kind === 'Secret', document, problems),
    labels: new Map(textsOf(metadata, 'labels')),
    annotations: new Map(annotations),
    isLeaving: isJsonObject(metadata) && typeof metadata['deletionTimestamp'] === 'string',
  };
}

function readData(
  isSecret: boolean,
  document: Readonly<Record<string, JsonValue>>,
  problems: ProblemList,
): ReadonlyMap<string, string> {
  const data = new Map<string, string>();
  for (const field of isSecret ? ['data', 'stringData'] : ['data']) {
    const entries = document[field];
    if (entries === undefined || entries === null) continue;
    if (!isJsonObject(entries)) {
      problems.error('invalid-value', [field], `${field} must be an object of texts`);
      continue;
    }
    for (const [key, text] of Object.entries(entries)) {
      if (typeof text !== 'string') problems.error('invalid-value', [field, key], `${key} must be a text`);
      else data.set(key, isSecret && field === 'data' ? Buffer.from(text, 'base64').toString('utf8') : text);
    }
  }
  const apiKey = isSecret ? data.get(apiKeyField) : undefined;
  if (apiKey !== undefined) data.set(apiKeyField, sealApiKey(apiKey));
  return data;
}

/** The texts of a map; what is none is left out. */
function textsOf(metadata: JsonValue | undefined, field: 'labels' | 'annotations'): [string, string][] {
  const map = isJsonObject(metadata) ? metadata[field] : undefined;
  const entries = isJsonObject(map) ? Object.entries(map) : [];
  return entries.flatMap(([name, value]): [string, string][] => (typeof value === 'string' ? [[name, value]] : []));
}
