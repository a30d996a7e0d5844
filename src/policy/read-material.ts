import { isJsonObject } from '../core/json.ts';
import type { DocumentName } from './read-provider.ts';
import type { ProblemList } from './problem-list.ts';
import type { AuthorDocument } from './spec.ts';

/** A Secret's or ConfigMap's texts by key. Never logged and never part of a Problem. */
export interface Material extends DocumentName {
  readonly kind: string;
  /** The file that it is in. */
  readonly source: string;
  readonly data: ReadonlyMap<string, string>;
}

/** Reads `data` (base64 in a Secret) and, for a Secret, `stringData`, which wins as it does in Kubernetes. */
export function readMaterial(
  head: DocumentName & { readonly kind: string },
  { value, source }: AuthorDocument,
  problems: ProblemList,
): Material {
  const data = new Map<string, string>();
  const document = isJsonObject(value) ? value : {};
  const isSecret = head.kind === 'Secret';
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
  return { source, kind: head.kind, namespace: head.namespace, name: head.name, data };
}
