/** Where a value begins within a JSON text, and where it ends: behind its last byte. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A member of an object: where its value is. */
export interface NamedSpan extends Span {
  readonly name: string;
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];
/** A longer name is none that anybody looks for: labels have up to 317. */
const maxNameBytes = 512;
const decoder = new TextDecoder();

/**
 * The end of the JSON value that begins at `from`, found without making anything of it: a text of a megabyte takes a millisecond or two, however many
 * objects it holds. Only what is well-formed is found rightly. Throws a SyntaxError where the text ends first.
 */
export function endOfValue(bytes: Uint8Array, from: number): number {
  const first = bytes[from];
  if (first === quote) return endOfText(bytes, from);
  if (first !== openObject && first !== openList) return endOfScalar(bytes, from);
  let depth = 0;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) at = endOfText(bytes, at) - 1;
    else if (byte === openObject || byte === openList) depth += 1;
    else if (byte === closeObject || byte === closeList) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  throw new SyntaxError('the JSON text ends within a value');
}

/**
 * The members of the object that begins at `from`, one after the other: its name, and where its value begins. Whoever has found the end of the value
 * already gives it to `next`. Nothing where there is no object.
 */
export function* membersOf(
  bytes: Uint8Array,
  from: number,
): Generator<{ readonly name: string; readonly from: number }, void, number | undefined> {
  if (bytes[from] !== openObject) return;
  let at = skipSpace(bytes, from + 1);
  while (bytes[at] === quote) {
    const nameEnd = endOfText(bytes, at);
    const name = nameEnd - at > maxNameBytes ? '' : String(JSON.parse(textIn(bytes, { from: at, to: nameEnd })));
    at = skipSpace(bytes, nameEnd);
    if (bytes[at] !== colon) throw new SyntaxError('a member of a JSON object has no value');
    at = skipSpace(bytes, at + 1);
    const known = yield { name, from: at };
    at = skipSpace(bytes, known ?? endOfValue(bytes, at));
    if (bytes[at] === comma) at = skipSpace(bytes, at + 1);
  }
}

/** The members of the object that begins at `from`, each with its end. Nothing where there is no object. */
export function* namedSpans(bytes: Uint8Array, from: number): Generator<NamedSpan, void, undefined> {
  const members = membersOf(bytes, from);
  for (let step = members.next(); step.done !== true;) {
    const to = endOfValue(bytes, step.value.from);
    yield { ...step.value, to };
    step = members.next(to);
  }
}

/** The elements of the list that begins at `from`; returns its end. Nothing, and the end of the value, where there is no list. */
export function* elementsOf(bytes: Uint8Array, from: number): Generator<Span, number, undefined> {
  if (bytes[from] !== openList) return endOfValue(bytes, from);
  let at = skipSpace(bytes, from + 1);
  while (bytes[at] !== closeList) {
    const to = endOfValue(bytes, at);
    yield { from: at, to };
    at = skipSpace(bytes, to);
    if (bytes[at] === comma) at = skipSpace(bytes, at + 1);
  }
  return at + 1;
}

/** True where the JSON there has more values than that, those within others counted. */
export function hasMoreValues(bytes: Uint8Array, span: Span, max: number): boolean {
  // Each takes two bytes, its comma or bracket among them.
  return (span.to - span.from) / 2 > max && countValues(bytes, span, max) > max;
}

/** How many values the JSON there has, those within others counted: up to that many, and one more where there are more. */
export function countValues(bytes: Uint8Array, { from, to }: Span, max: number): number {
  let values = 1;
  for (let at = from; at < to && values <= max; at++) {
    const byte = bytes[at];
    if (byte === quote) at = endOfText(bytes, at) - 1;
    else if (byte === comma || byte === openObject || byte === openList) values += 1;
  }
  return Math.min(values, max + 1);
}

/** The JSON there. */
export function textIn(bytes: Uint8Array, { from, to }: Span): string {
  return decoder.decode(bytes.subarray(from, to));
}

/** Where the first value begins. */
export function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1;
  return at;
}

function endOfText(bytes: Uint8Array, from: number): number {
  for (let at = from + 1; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === backslash) at += 1;
    else if (byte === quote) return at + 1;
  }
  throw new SyntaxError('the JSON text ends within a text');
}

function endOfScalar(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && isOfScalar(bytes[at])) at += 1;
  if (at === from) throw new SyntaxError('there is no JSON value');
  return at;
}

/** Letters, digits, the signs and the point of numbers. */
function isOfScalar(byte: number | undefined): boolean {
  return byte !== undefined && byte > 0x20 && byte !== comma && byte !== closeList && byte !== closeObject;
}
