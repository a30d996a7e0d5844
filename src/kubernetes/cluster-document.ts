import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Problem } from '../core/problem.ts';
import { specKey } from '../policy/spec-name.ts';
import { materialKey, materialSource, type AuthorDocument, type MaterialRef } from '../policy/spec.ts';
import { apiKeyField, sealApiKey } from '../policy/providers/sealed-api-key.ts';
import { meantAnnotation } from '../policy/check-material.ts';
import { ownAnnotations } from '../policy/client-annotations.ts';
import { memberObject, type ObjectMeta } from './api-object.ts';
import { KeptDocument } from './kept-document.ts';

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

/** Ours have a dozen levels. The API server takes ten thousand of them, more than the stack does. */
const maxDepth = 64;
const noProblems: readonly Problem[] = [];

/**
 * The document that an object is: its kind, name and everything that its author wrote, without what the server adds. What is nested too
 * deep is cut off, and the document is refused for it. `known` is of the version before: where only its status or its labels changed, the
 * document is the same one, and nobody has to read it again. `ref` is what refers to it where it is no document of ours.
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
  const whole: JsonObject = { ...(kind === 'Secret' ? withoutApiKey(authored) : authored), metadata };
  const isTooDeep = isDeeperThan(maxDepth, whole);
  const value = isTooDeep ? cutBelow(maxDepth, whole) : whole;
  const text = JSON.stringify(value);
  const status = toStatusText(statusValue);
  const isKnown = known?.text === text && isSameVersion(known.meta, meta);
  if (isKnown) return { ...known, meta, status };
  const source = ref === undefined ? specKey({ kind, namespace, name }) : materialSource(ref, name);
  const { uid, generation, createdAt } = meta;
  const version = { uid, generation, createdAt };
  const document = new KeptDocument({
    value,
    text,
    source,
    problems: isTooDeep ? [tooDeep(source)] : noProblems,
    version,
    reference: ref && materialKey(ref),
  });
  return { document, kind, meta, text, status };
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
  return depth === 0 || Object.values(value).some((inner: JsonValue) => isDeeperThan(depth - 1, inner));
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
  return {
    code: 'too-large',
    severity: 'error',
    message: `the document is nested more than ${maxDepth} levels deep`,
    field: '',
    place: { source, line: undefined, column: undefined },
  };
}
