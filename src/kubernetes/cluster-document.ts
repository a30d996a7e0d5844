import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Place, Problem } from '../core/problem.ts';
import { parseDocument } from '../policy/parse-document.ts';
import { rememberParsed } from '../policy/parsed-elsewhere.ts';
import { specKey } from '../policy/spec-name.ts';
import { materialKey, materialSource, type AuthorDocument, type MaterialRef } from '../policy/spec.ts';
import { apiKeyField, sealApiKey } from '../policy/providers/sealed-api-key.ts';
import { isReadAnnotation } from '../policy/check-material.ts';
import { clientFields } from '../policy/providers/provider-material.ts';
import { maxValues } from '../policy/written-size.ts';
import { sha256Bytes } from '../std/sha256.ts';
import { memberObject, type ObjectMeta } from './api-object.ts';
import { KeptDocument, type KeptDocumentParts } from './kept-document.ts';
import { boundsOfCut, type ObjectBounds } from './object-bounds.ts';

/** A document out of the API server, and what the writer of status has to know of its object. */
export interface ClusterDocument {
  readonly document: AuthorDocument;
  readonly kind: string;
  readonly meta: ObjectMeta;
  /** The JSON of what its author wrote; of a Secret or ConfigMap, of which nothing is kept but what was read out of it, its SHA-256. */
  readonly text: string;
  /** The JSON of `status` as the server has it; empty where there is none. */
  readonly status: string;
  /** Why not all of it could be read, as a sentence without its subject; undefined where all was. */
  readonly unread: string | undefined;
}

/** Ours have a dozen levels. The API server takes ten thousand of them, more than the stack does. */
const maxDepth = 64;
const tooDeep = `the document is nested more than ${maxDepth} levels deep`;
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
  const cut = boundsOfCut(object);
  const unread = isTooDeep ? tooDeep : cut && sayTooLarge(cut);
  // What is left of one that is too large may be all that there is of the next.
  const isKnown = known?.text === text && known.unread === unread && isSameVersion(known.meta, meta);
  if (isKnown) return { ...known, meta, status };
  const source = ref === undefined ? specKey({ kind, namespace, name }) : materialSource(ref, name);
  const { uid, generation, createdAt } = meta;
  const version = { uid, generation, createdAt };
  const isClient = ref !== undefined && !('name' in ref);
  const parts = {
    source,
    problems: unread === undefined || (isClient && !isTooDeep) ? noProblems : [problemOf(source, unread)],
    version,
    reference: ref && materialKey(ref),
    // The older version of a Secret may be what the newer one was to end (decision 25).
    ...(unread !== undefined && kind === 'Secret' ? { refusal: unread } : {}),
  };
  const document = isMaterial ? toMaterial(value, parts) : new KeptDocument({ ...parts, value, text });
  return { document, kind, meta, text, status, unread };
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
    annotations: Object.fromEntries(annotations.filter(([name]) => isReadAnnotation(name))),
  };
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

function sayTooLarge({ maxBytes, keeps }: ObjectBounds): string {
  switch (keeps.kind) {
    case 'hosts':
      return `the document is larger than ${maxBytes / 1024} KiB, or holds more than ${maxValues} values`;
    case 'route':
      return 'its hostnames, parents or rules are more than can be read';
    case 'data':
      return 'it has more keys, or is larger, than can be read';
    case 'client':
      return `it is larger than ${maxBytes / 1024} KiB`;
  }
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
