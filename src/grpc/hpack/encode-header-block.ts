import { staticTable } from './static-table.ts';

/**
 * A header block that says the fields in full (RFC 7541 section 6.2.2) or by their index in the static table. It puts nothing into the peer's dynamic table,
 * so it means the same on every connection and at any time.
 */
export function encodeHeaderBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.map(([name, value]) => encodeField(name, value)));
}

/**
 * Goes before a block: our use of the peer's dynamic table has the size 0 from there on (section 6.3). Owed once to a peer that gives its table less than what
 * both begin with; of 0 nothing it says later is less, and nothing more has to be used (section 4.2).
 */
export const emptyTableUpdate = 0x20;

/** What a peer's table holds until it says otherwise (RFC 9113 section 6.5.2). Bytes. */
export const firstTableSize = 4096;

function encodeField(name: string, value: string): Buffer {
  const whole = staticTable.findIndex((field) => field.name === name && field.value === value) + 1;
  if (whole > 0) return encodeInteger(0x80, 0x7f, whole);
  const named = staticTable.findIndex((field) => field.name === name) + 1;
  const start = encodeInteger(0, 0x0f, named);
  return Buffer.concat(named > 0 ? [start, encodeText(value)] : [start, encodeText(name), encodeText(value)]);
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([encodeInteger(0, 0x7f, bytes.length), bytes]);
}

/** Section 5.1. */
function encodeInteger(pattern: number, mask: number, value: number): Buffer {
  if (value < mask) return Buffer.of(pattern | value);
  const bytes = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) bytes.push(0x80 | (rest & 0x7f));
  return Buffer.from([...bytes, rest]);
}
