/** Writes the pieces of protobuf messages one by one, also those that no serializer writes. */

/** A number of up to 64 bits; with `bytes` in that many, the superfluous ones included. */
export function varint(value: number | bigint, bytes = 0): Buffer {
  const written: number[] = [];
  let rest = BigInt(value);
  do {
    const group = Number(rest & 0x7fn);
    rest >>= 7n;
    written.push(rest > 0n || written.length + 1 < bytes ? group | 0x80 : group);
  } while (rest > 0n || written.length < bytes);
  return Buffer.from(written);
}

export type WireType = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** The tag of a field. */
export function tag(field: number, type: WireType): Buffer {
  return varint(field * 8 + type);
}

/** A length-delimited field: a text (as UTF-8), bytes, or a message given by its pieces. */
export function field(number: number, contents: string | Uint8Array | readonly Uint8Array[]): Buffer {
  const bytes = typeof contents === 'string' || contents instanceof Uint8Array ? contents : Buffer.concat(contents);
  const length = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
  return Buffer.concat([tag(number, 2), varint(length), Buffer.from(bytes)]);
}

/** A field that is a group of pieces. */
export function group(number: number, ...pieces: readonly Uint8Array[]): Buffer {
  return Buffer.concat([tag(number, 3), ...pieces, tag(number, 4)]);
}
