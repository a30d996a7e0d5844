import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { isReadAnnotation } from '../policy/check-material.ts';
import { heldFields } from '../policy/providers/provider-material.ts';
import { maxDocumentBytes, maxValues } from '../policy/written-size.ts';
import { elementsOf, hasMoreValues, namedSpans, type NamedSpan, type Span } from '../std/json-spans.ts';
import { jsonIn } from './json-in.ts';
import type { ObjectBounds } from './object-bounds.ts';

/** Of a part that is kept; what says whose an object is, and which hosts a policy names, is smaller. */
const maxPartBytes = 16 * 1024;
/** More keys are not read out of what is too large. */
const maxDataKeys = 1000;
/** The Gateway API takes sixteen. */
const maxRouteRules = 4096;

const kinds: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'type']);
/** Of `metadata`: whose an object is, and which version of it. */
const head: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
]);
const specOfRefused: ReadonlySet<string> = new Set(['hosts', 'targetRefs', 'attachment', 'mode', 'onInvalid']);

/** What an object is read as, and whether nothing is missing of what is ever read of one. */
export interface KeptParts {
  readonly object: JsonObject;
  readonly isWhole: boolean;
}

/** The object that begins there with all that its author wrote, which was found to be small enough, and nothing beside that nobody reads. */
export function readWritten(bytes: Uint8Array, from: number, bounds: ObjectBounds): JsonObject {
  return readMembers(bytes, from, (member) => {
    if (member.name === 'metadata') return readMetadata(bytes, member.from, bounds, () => true);
    return member.name === 'status' ? readStatus(bytes, member, bounds) : jsonIn(bytes, member);
  });
}

/** What is kept of the object that begins there, which is too large to be read whole. */
export function readKept(bytes: Uint8Array, from: number, bounds: ObjectBounds): KeptParts {
  const { keeps } = bounds;
  let isWhole = keeps.kind === 'route' || keeps.kind === 'data';
  const all = (part: JsonObject | undefined): JsonObject | undefined => {
    isWhole &&= part !== undefined;
    return part;
  };
  const object = readMembers(bytes, from, (member) => {
    const { name } = member;
    if (kinds.has(name)) return readSmall(bytes, member);
    if (name === 'metadata')
      return readMetadata(bytes, member.from, bounds, (label) => keeps.kind === 'client' && keeps.labels.has(label));
    if (name === 'status') return readStatus(bytes, member, bounds);
    switch (keeps.kind) {
      case 'hosts':
        return name === 'spec' ? pickSmall(bytes, member.from, specOfRefused) : undefined;
      case 'route':
        return name === 'spec' ? all(readRouteSpec(bytes, member.from)) : undefined;
      case 'data':
        return name === 'data' || name === 'binaryData' ? all(readData(bytes, member)) : undefined;
      case 'client':
        return name === 'data' ? pickSmall(bytes, member.from, heldFields) : undefined;
    }
  });
  return { object, isWhole };
}

/** Only of documents of ours anybody reads it; it is bounded like them. */
function readStatus(bytes: Uint8Array, span: Span, { keeps }: ObjectBounds): JsonValue | undefined {
  return keeps.kind === 'hosts' && isWithin(bytes, span, maxDocumentBytes) ? jsonIn(bytes, span) : undefined;
}

/** `labels` and `annotations` of Secrets alone are ever read. */
function readMetadata(
  bytes: Uint8Array,
  from: number,
  { keeps }: ObjectBounds,
  isLabel: (name: string) => boolean,
): JsonObject {
  const isSecret = keeps.kind === 'client' || keeps.kind === 'data';
  return readMembers(bytes, from, (part) => {
    if (head.has(part.name)) return readSmall(bytes, part);
    const isRead = part.name === 'labels' ? isLabel : part.name === 'annotations' ? isReadAnnotation : undefined;
    if (!isSecret || isRead === undefined) return undefined;
    return readMembers(bytes, part.from, (one) => (isRead(one.name) ? readSmall(bytes, one) : undefined));
  });
}

/** Hostnames, parents, and of rules their names: what `readRoute` reads. Undefined where that cannot be told. */
function readRouteSpec(bytes: Uint8Array, from: number): JsonObject | undefined {
  let isWhole = true;
  const object = readMembers(bytes, from, (part): JsonValue | undefined => {
    if (part.name === 'rules') {
      const rules = readRuleNames(bytes, part.from);
      isWhole &&= rules !== undefined;
      return rules;
    }
    if (part.name !== 'hostnames' && part.name !== 'parentRefs') return undefined;
    isWhole &&= isWithin(bytes, part, maxDocumentBytes);
    return isWhole ? jsonIn(bytes, part) : undefined;
  });
  return isWhole ? object : undefined;
}

function readRuleNames(bytes: Uint8Array, from: number): readonly JsonObject[] | undefined {
  const rules: JsonObject[] = [];
  for (const rule of elementsOf(bytes, from)) {
    if (rules.length === maxRouteRules) return undefined;
    rules.push(pickSmall(bytes, rule.from, nameAlone));
  }
  return rules;
}
const nameAlone: ReadonlySet<string> = new Set(['name']);

/** Undefined where it has more keys than anybody writes. */
function readData(bytes: Uint8Array, span: Span): JsonObject | undefined {
  let keys = 0;
  for (const _member of namedSpans(bytes, span.from)) if (++keys > maxDataKeys) return undefined;
  const read = jsonIn(bytes, span);
  return isJsonObject(read) ? read : undefined;
}

/** The members of the object there that are asked for, as far as they are small. */
function pickSmall(bytes: Uint8Array, from: number, asked: ReadonlySet<string>): JsonObject {
  return readMembers(bytes, from, (member) => (asked.has(member.name) ? readSmall(bytes, member) : undefined));
}

function readSmall(bytes: Uint8Array, span: Span): JsonValue | undefined {
  return span.to - span.from <= maxPartBytes ? jsonIn(bytes, span) : undefined;
}

/** The object there of what is made of its members; those are left out of which that is undefined. */
function readMembers(bytes: Uint8Array, from: number, read: (member: NamedSpan) => JsonValue | undefined): JsonObject {
  const parts: [string, JsonValue][] = [];
  for (const member of namedSpans(bytes, from)) {
    const value = read(member);
    if (value !== undefined) parts.push([member.name, value]);
  }
  return Object.fromEntries(parts);
}

/** True where the value is small enough to be parsed as it is. */
export function isWithin(bytes: Uint8Array, span: Span, maxBytes: number): boolean {
  return span.to - span.from <= maxBytes && !hasMoreValues(bytes, span, maxValues);
}
