import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { endOfValue, hasMoreValues, membersOf, skipSpace, type Span } from '../std/json-spans.ts';
import { jsonIn } from './json-in.ts';
import { markCut, maxValues, type ObjectBounds } from './object-bounds.ts';

/** Of a part that is kept; what says whose an object is, and which hosts a policy names, is smaller. */
const maxPartBytes = 16 * 1024;
const openObject = 0x7b;
/** More keys are not read out of what is too large. */
const maxDataKeys = 1000;

/** What is kept below each member: of `metadata` whose it is, of `spec` what a refused policy denies (S4). */
const keptBelow: Readonly<Record<string, ReadonlySet<string>>> = {
  metadata: new Set([
    'name',
    'namespace',
    'uid',
    'resourceVersion',
    'generation',
    'creationTimestamp',
    'deletionTimestamp',
    'labels',
  ]),
  spec: new Set(['hosts', 'targetRefs', 'attachment', 'mode', 'onInvalid']),
};
const kept: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'status', 'type']);
const dataMembers: ReadonlySet<string> = new Set(['data', 'binaryData']);

/** The object there: whole where it is within the bounds, and else without what is large, which is never parsed. Throws a SyntaxError. */
export function readObject(bytes: Uint8Array, { from, to }: Span, bounds: ObjectBounds): JsonValue {
  const isLarge = to - from > bounds.maxBytes || hasMoreValues(bytes, { from, to }, maxValues);
  return isLarge && bytes[from] === openObject ? cutObject(bytes, from, bounds) : jsonIn(bytes, { from, to });
}

function cutObject(bytes: Uint8Array, from: number, bounds: ObjectBounds): JsonObject {
  const parts: [string, JsonValue][] = [];
  let isWhole = true;
  const members = membersOf(bytes, from);
  for (let step = members.next(); step.done !== true;) {
    const { name, from: at } = step.value;
    const to = endOfValue(bytes, at);
    const below = keptBelow[name];
    if (below !== undefined && Object.hasOwn(keptBelow, name)) {
      parts.push([name, pick(bytes, at, below)]);
    } else if (bounds.keepsData && dataMembers.has(name)) {
      const data = readData(bytes, { from: at, to });
      isWhole &&= data !== undefined;
      if (data !== undefined) parts.push([name, data]);
    } else if (kept.has(name) && to - at <= maxPartBytes) parts.push([name, jsonIn(bytes, { from: at, to })]);
    step = members.next(to);
  }
  const object = Object.fromEntries(parts);
  return isWhole && bounds.keepsData ? object : markCut(object, bounds);
}

/** The members of the object there that are asked for, as far as they are small. */
function pick(bytes: Uint8Array, from: number, asked: ReadonlySet<string>): JsonObject {
  const parts: [string, JsonValue][] = [];
  const members = membersOf(bytes, from);
  for (let step = members.next(); step.done !== true;) {
    const { name, from: at } = step.value;
    const to = endOfValue(bytes, at);
    if (asked.has(name) && to - at <= maxPartBytes) parts.push([name, jsonIn(bytes, { from: at, to })]);
    step = members.next(to);
  }
  return Object.fromEntries(parts);
}

/** Undefined where it has more keys than anybody writes. */
function readData(bytes: Uint8Array, span: Span): JsonObject | undefined {
  const members = membersOf(bytes, span.from);
  for (let keys = 0; members.next().done !== true; keys++) if (keys === maxDataKeys) return undefined;
  const read = jsonIn(bytes, span);
  return isJsonObject(read) ? read : undefined;
}

/** The object of a line of a watch, and its type. Throws a SyntaxError. */
export function readWatchLine(
  bytes: Uint8Array,
  bounds: ObjectBounds,
): { readonly type: unknown; readonly object: unknown } {
  let [type, object]: [unknown, unknown] = [undefined, undefined];
  const members = membersOf(bytes, skipSpace(bytes, 0));
  for (let step = members.next(); step.done !== true;) {
    const { name, from } = step.value;
    const to = endOfValue(bytes, from);
    if (name === 'type') type = jsonIn(bytes, { from, to });
    if (name === 'object') object = readObject(bytes, { from, to }, bounds);
    step = members.next(to);
  }
  return { type, object };
}
