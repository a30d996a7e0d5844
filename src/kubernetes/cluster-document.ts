import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Place, Problem } from '../core/problem.ts';
import { parseDocument } from '../policy/parse-document.ts';
import { rememberParsed } from '../policy/parsed-elsewhere.ts';
import { specKey } from '../policy/spec-name.ts';
import { materialKey, materialSource, type AuthorDocument, type MaterialRef } from '../policy/spec.ts';
import { apiKeyField, sealApiKey } from '../policy/providers/sealed-api-key.ts';
import { meantAnnotation } from '../policy/check-material.ts';
import { ownAnnotations } from '../policy/client-annotations.ts';
import { clientFields } from '../policy/providers/provider-material.ts';
import { sha256Bytes } from '../std/sha256.ts';
import { memberObject, type ObjectMeta } from './api-object.ts';
import { KeptDocument, type KeptDocumentParts } from './kept-document.ts';
import { boundsOfCut, maxValues, type ObjectBounds } from './object-bounds.ts';

/** A document out of the API server, and what the writer of status has to know of its object. */
export interface ClusterDocument {
  readonly document: AuthorDocument;
  readonly kind: string;
  readonly meta: ObjectMeta;
  /** The JSON of what its author wrote; of a Secret or ConfigMap, of which nothing is kept but what was read out of it, its SHA-256. */
  readonly text: string;
  /** The JSON of `status` as the server has it; empty where there is none. */
  readonly status: string;
}

/** Ours have a dozen levels. The API server takes ten thousand of them, more than the stack does. */
const maxDepth = 64;
const noProblems: readonly Problem[] = [];

/**
 * The document that an object is: its kind, name and everything that its author wrote, without what the server adds. What is nested too
 * deep is cut off, and the document is refused for it, as is one that is too large to be read whole. `known` is of the version before:
 * where only its status or its labels changed, the document is the same one, and nobody has to read it again. `ref` is what refers to it
 * where it is no document of ours.
 */
export function toClusterDocument(
  object: JsonObject,
  meta: ObjectMeta,
  kind: string,
  known?: ClusterDocument,
  ref?: MaterialRef,
): ClusterDocument {
  const { metadata: _metadata, status: statusValue, ...authored } = object;
  const { namespace, name } = meta;
  const metadata = { ...(namespace === '' ? { name } : { namespace, name }), ...selectable(kind, object) };
  const needed = onlyNeeded(authored, ref);
  const whole: JsonObject = { ...(kind === 'Secret' ? withoutApiKey(needed) : needed), metadata };
  const isTooDeep = isDeeperThan(maxDepth, whole);
  const value = isTooDeep ? cutBelow(maxDepth, whole) : whole;
  const json = JSON.stringify(value);
  const isMaterial = kind === 'Secret' || kind === 'ConfigMap';
  const text = isMaterial ? Buffer.from(sha256Bytes(json)).toString('base64') : json;
  const status = toStatusText(statusValue);
  const isKnown = known?.text === text && isSameVersion(known.meta, meta);
  if (isKnown) return { ...known, meta, status };
  const source = ref === undefined ? specKey({ kind, namespace, name }) : materialSource(ref, name);
  const { uid, generation, createdAt } = meta;
  const version = { uid, generation, createdAt };
  const cut = boundsOfCut(object);
  const isClient = ref !== undefined && !('name' in ref);
  const mistake = isTooDeep ? tooDeep(source) : cut === undefined || isClient ? undefined : tooLarge(source, cut);
  const parts = {
    source,
    problems: mistake === undefined ? noProblems : [mistake],
    version,
    reference: ref && materialKey(ref),
    ...(cut !== undefined && isClient ? { refusal: `it is larger than ${cut.maxBytes / 1024} KiB` } : {}),
  };
  const document = isMaterial ? toMaterial(value, parts) : new KeptDocument({ ...parts, value, text });
  return { document, kind, meta, text, status };
}

/** A Secret or ConfigMap is read at once, and nothing else of it is kept: its text would be the same texts again. */
function toMaterial(value: JsonObject, parts: Omit<KeptDocumentParts, 'value' | 'text'>): AuthorDocument {
  const { apiVersion, kind, metadata } = value;
  const head = Object.fromEntries(
    Object.entries({ apiVersion, kind, metadata }).flatMap(([name, part]) =>
      part === undefined ? [] : [[name, part]],
    ),
  );
  const document = new KeptDocument({ ...parts, value: head, text: JSON.stringify(head) });
  const placeOf = (): Place => document.placeOf();
  const { source, problems, version, reference, refusal } = document;
  const whole = {
    value,
    source,
    problems,
    placeOf,
    ...(version === undefined ? {} : { version }),
    ...(reference === undefined ? {} : { reference }),
    ...(refusal === undefined ? {} : { refusal }),
  };
  rememberParsed(document, undefined, parseDocument(whole, { serviceNamespace: '' }));
  return document;
}

/** Of a Secret or ConfigMap: whoever refers to it reads these keys alone. Those of a Secret that was found by its labels are always the same. */
function onlyNeeded(object: JsonObject, ref: MaterialRef | undefined): JsonObject {
  const keys = ref === undefined ? undefined : 'name' in ref ? ref.keys && new Set(ref.keys) : clientFields;
  if (keys === undefined) return object;
  const { binaryData: _binaryData, ...rest } = object;
  const data = Object.entries(memberObject(object, 'data')).filter(([name]) => keys.has(name));
  return { ...rest, data: Object.fromEntries(data) };
}

/** What chooses among Secrets and says whose they are; other annotations hold whole documents, secrets among them. */
function selectable(kind: string, object: JsonObject): JsonObject {
  if (kind !== 'Secret') return {};
  const metadata = memberObject(object, 'metadata');
  const { deletionTimestamp } = metadata;
  const annotations = Object.entries(memberObject(metadata, 'annotations'));
  return {
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    labels: memberObject(metadata, 'labels'),
    annotations: Object.fromEntries(annotations.filter(([name]) => isOurs(name))),
  };
}

/** Misspelt ones too: one of them may have been meant to end a key. */
function isOurs(name: string): boolean {
  return name.startsWith(ownAnnotations) || meantAnnotation(name) !== undefined;
}

/** The text of a document is kept as long as its object is there: an API key must not be. */
function withoutApiKey(secret: JsonObject): JsonObject {
  const data = memberObject(secret, 'data');
  const encoded = data[apiKeyField];
  if (typeof encoded !== 'string') return secret;
  const sealed = sealApiKey(Buffer.from(encoded, 'base64').toString('utf8'));
  return { ...secret, data: { ...data, [apiKeyField]: Buffer.from(sealed).toString('base64') } };
}

function isSameVersion(a: ObjectMeta, b: ObjectMeta): boolean {
  return a.uid === b.uid && a.generation === b.generation && a.createdAt === b.createdAt;
}

/** A status too deep to be ours is none. */
function toStatusText(status: JsonValue | undefined): string {
  return status === undefined || isDeeperThan(maxDepth, status) ? '' : JSON.stringify(status);
}

function isDeeperThan(depth: number, value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  if (!isJsonObject(value)) return value.some((inner) => isDeeperThan(depth - 1, inner));
  // A list of the values takes ten times as long.
  for (const name in value) if (isDeeperThan(depth - 1, value[name] ?? null)) return true;
  return false;
}

/** The value with null in the place of every object and list below that many levels. */
function cutBelow(depth: number, value: JsonObject): JsonObject {
  const cut = (inner: JsonValue, left: number): JsonValue => {
    if (typeof inner !== 'object' || inner === null) return inner;
    if (left === 0) return null;
    if (!isJsonObject(inner)) return inner.map((element) => cut(element, left - 1));
    return Object.fromEntries(Object.entries(inner).map(([name, member]) => [name, cut(member, left - 1)]));
  };
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, cut(member, depth - 1)]));
}

function tooDeep(source: string): Problem {
  return problemOf(source, `the document is nested more than ${maxDepth} levels deep`);
}

function tooLarge(source: string, { maxBytes, keepsData }: ObjectBounds): Problem {
  return problemOf(
    source,
    keepsData
      ? 'it has more keys, or is larger, than can be read'
      : `the document is larger than ${maxBytes / 1024} KiB, or holds more than ${maxValues} values`,
  );
}

function problemOf(source: string, message: string): Problem {
  return {
    code: 'too-large',
    severity: 'error',
    message,
    field: '',
    place: { source, line: undefined, column: undefined },
  };
}
