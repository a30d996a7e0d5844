import type { JsonValue } from '../core/json.ts';
import { maxValues, measureWritten } from '../policy/written-size.ts';
import { namedSpans, skipSpace, type Span } from '../std/json-spans.ts';
import { jsonIn } from './json-in.ts';
import { isWithin, readKept, readWritten } from './kept-parts.ts';
import { markCut, type ObjectBounds } from './object-bounds.ts';

const openObject = 0x7b;

/**
 * The object there. It is whole where what its author wrote is within the bounds, however much the server and tools wrote beside; of what is larger
 * that is kept which the bounds say, and the rest is never parsed. Throws a SyntaxError.
 */
export function readObject(bytes: Uint8Array, span: Span, bounds: ObjectBounds): JsonValue {
  const { from } = span;
  if (bytes[from] !== openObject || isWithin(bytes, span, bounds.maxBytes)) return jsonIn(bytes, span);
  const written = measureWritten(bytes, from, bounds.keeps.kind === 'client');
  if (written.bytes <= bounds.maxBytes && written.values <= maxValues) return readWritten(bytes, from, bounds);
  const { object, isWhole } = readKept(bytes, from, bounds);
  return isWhole ? object : markCut(object, bounds);
}

/** The object of a line of a watch, and its type. Throws a SyntaxError. */
export function readWatchLine(
  bytes: Uint8Array,
  bounds: ObjectBounds,
): { readonly type: unknown; readonly object: unknown } {
  let [type, object]: [unknown, unknown] = [undefined, undefined];
  for (const member of namedSpans(bytes, skipSpace(bytes, 0))) {
    if (member.name === 'type') type = jsonIn(bytes, member);
    if (member.name === 'object') object = readObject(bytes, member, bounds);
  }
  return { type, object };
}
