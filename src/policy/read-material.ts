import { isJsonObject, type JsonValue } from '../core/json.ts';
import { decodeSpelledBase64 } from '../std/base64.ts';
import { checkMaterial, checkOwnNames, howToWriteData } from './check-material.ts';
import { ownAnnotations } from './client-annotations.ts';
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
  /** Deleted, and waiting for its finalizers. */
  readonly isLeaving: boolean;
  /** Why nothing of a Secret is used, as a sentence without its subject; undefined where it is good. Holds nothing of its data. */
  readonly refused: string | undefined;
  /** Why what is there now cannot be used, where this is what was there before. */
  readonly outdated?: string;
}

/**
 * Reads `data` (base64 in a Secret) and, for a Secret, `stringData`, which wins as it does in Kubernetes. A Secret that an API server would not
 * take, or with names of ours in the wrong place, is refused and takes what it held away; a ConfigMap leaves what was there before (S4).
 */
export function readMaterial(
  head: SpecName & { readonly kind: string },
  { value, source, version, reference, refusal }: AuthorDocument,
  problems: ProblemList,
): Material {
  const document = isJsonObject(value) ? value : {};
  const metadata = document['metadata'];
  const isSecret = head.kind === 'Secret';
  // A text that is not well-formed says nothing of its Secret.
  const isReadable = !problems.hasError();
  // The API server has judged what comes from it.
  if (version === undefined) checkMaterial(isSecret ? 'Secret' : 'ConfigMap', document, problems);
  if (isSecret) checkOwnNames(document, problems);
  const data = readData(isSecret, document, problems);
  const annotations = textsOf(metadata, 'annotations').filter(([name]) => name.startsWith(ownAnnotations));
  return {
    source,
    ...(reference === undefined ? {} : { reference }),
    kind: head.kind,
    namespace: head.namespace,
    name: head.name,
    data,
    labels: new Map(textsOf(metadata, 'labels')),
    annotations: new Map(annotations),
    isLeaving: isJsonObject(metadata) && typeof metadata['deletionTimestamp'] === 'string',
    refused: refusal ?? (isSecret && isReadable ? firstError(problems) : undefined),
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
      if (typeof text !== 'string')
        problems.error('invalid-value', [field, key], `${key} must be a text: ${howToWriteData(text)}`);
      else if (!isSecret || field === 'stringData') data.set(key, text);
      else data.set(key, decodeData(key, text, problems));
    }
  }
  const apiKey = isSecret ? data.get(apiKeyField) : undefined;
  if (apiKey !== undefined) data.set(apiKeyField, sealApiKey(apiKey));
  return data;
}

/** Base64 with padding, on one line or several. */
function decodeData(key: string, text: string, problems: ProblemList): string {
  const spelled = text.replaceAll(/[\r\n]/g, '');
  if (spelled !== '' && decodeSpelledBase64(spelled, 'padded') === undefined)
    problems.error('invalid-value', ['data', key], `${key} is not base64: write it as plain text under stringData`);
  return Buffer.from(spelled, 'base64').toString('utf8');
}

function firstError({ all }: ProblemList): string | undefined {
  const error = all.find(({ severity }) => severity === 'error');
  return error && `it is refused: ${error.message}`;
}

/** The texts of a map; what is none is left out. */
function textsOf(metadata: JsonValue | undefined, field: 'labels' | 'annotations'): [string, string][] {
  const map = isJsonObject(metadata) ? metadata[field] : undefined;
  const entries = isJsonObject(map) ? Object.entries(map) : [];
  return entries.flatMap(([name, value]): [string, string][] => (typeof value === 'string' ? [[name, value]] : []));
}
