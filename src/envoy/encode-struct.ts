import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';

/** Field numbers and wire types (`number << 3 | type`) of google/protobuf/struct.proto. */
const tag = {
  structFields: 0x0a,
  entryKey: 0x0a,
  entryValue: 0x12,
  nullValue: 0x08,
  numberValue: 0x11,
  stringValue: 0x1a,
  boolValue: 0x20,
  structValue: 0x2a,
  listValue: 0x32,
  listValues: 0x0a,
} as const;

/** The bytes of the object as a `google.protobuf.Struct`. Text that is not valid Unicode is mended: what leaves can always be decoded. */
export function encodeStruct(object: JsonObject): Buffer {
  return Buffer.concat(
    Object.entries(object).map(([name, value]) =>
      lengthDelimited(
        tag.structFields,
        Buffer.concat([lengthDelimited(tag.entryKey, text(name)), lengthDelimited(tag.entryValue, encodeValue(value))]),
      ),
    ),
  );
}

function encodeValue(value: JsonValue): Buffer {
  if (value === null) return Buffer.of(tag.nullValue, 0);
  if (typeof value === 'string') return lengthDelimited(tag.stringValue, text(value));
  if (typeof value === 'boolean') return Buffer.of(tag.boolValue, value ? 1 : 0);
  if (typeof value === 'number') return encodeNumber(value);
  if (isJsonObject(value)) return lengthDelimited(tag.structValue, encodeStruct(value));
  const values = value.map((entry) => lengthDelimited(tag.listValues, encodeValue(entry)));
  return lengthDelimited(tag.listValue, Buffer.concat(values));
}

function encodeNumber(value: number): Buffer {
  const bytes = Buffer.alloc(9, tag.numberValue);
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.from(value, 'utf8');
}

/** A field of wire type 2: its tag, how long it is, its bytes. */
export function lengthDelimited(fieldTag: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(fieldTag), varint(bytes.length), bytes]);
}

/** Base 128, the low bits first; below 2^31. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
