import type { JsonObject, JsonValue } from '../core/json.ts';
import { elementsOf, endOfValue, membersOf, skipSpace } from '../std/json-spans.ts';
import { jsonIn } from './json-in.ts';
import { readObject } from './cut-object.ts';
import type { ObjectBounds } from './object-bounds.ts';

/** How much is read before others have their turn: some five milliseconds of what takes longest. */
const sliceBytes = 64 * 1024;

/**
 * The JSON of an answer: a list element by element, so that others run in between, and of an object beyond the bounds what says whose it is. Throws a
 * SyntaxError for what is not JSON.
 */
export async function readAnswer(
  bytes: Uint8Array,
  bounds: ObjectBounds,
  pause: () => Promise<void>,
): Promise<JsonValue> {
  const from = skipSpace(bytes, 0);
  // No object in it can be beyond the bounds.
  if (bytes.length <= Math.min(sliceBytes, bounds.maxBytes)) return jsonIn(bytes, { from: 0, to: bytes.length });
  return (
    (await readList(bytes, from, bounds, pause)) ?? readObject(bytes, { from, to: endOfValue(bytes, from) }, bounds)
  );
}

/** Undefined where the answer is no list. */
async function readList(
  bytes: Uint8Array,
  start: number,
  bounds: ObjectBounds,
  pause: () => Promise<void>,
): Promise<JsonObject | undefined> {
  let items: JsonValue[] | undefined;
  const rest: [string, JsonValue][] = [];
  const members = membersOf(bytes, start);
  for (let step = members.next(); step.done !== true;) {
    const { name, from } = step.value;
    let to: number;
    if (name === 'items') ({ items, to } = await readItems(bytes, from, bounds, pause));
    // An object has these before what may be large, and no items at this place.
    else if (name === 'spec' || name === 'data' || name === 'status') return undefined;
    else {
      to = endOfValue(bytes, from);
      rest.push([name, jsonIn(bytes, { from, to })]);
    }
    step = members.next(to);
  }
  return items && { ...Object.fromEntries(rest), items };
}

async function readItems(
  bytes: Uint8Array,
  from: number,
  bounds: ObjectBounds,
  pause: () => Promise<void>,
): Promise<{ readonly items: JsonValue[]; readonly to: number }> {
  const items: JsonValue[] = [];
  const elements = elementsOf(bytes, from);
  let since = from;
  for (;;) {
    const { done, value } = elements.next();
    if (done === true) return { items, to: value };
    items.push(readObject(bytes, value, bounds));
    if (value.to - since < sliceBytes) continue;
    since = value.to;
    await pause();
  }
}
