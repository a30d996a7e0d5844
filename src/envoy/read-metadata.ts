import { WireError, type WireReader } from '../std/wire-reader.ts';
import { checkRequestFields, mapEntryFields } from './check-request-fields.ts';

/** `core.v3.Metadata.filter_metadata`: a google.protobuf.Struct by namespace. */
export type Metadata = Map<string, Fields>;

/** The fields of a google.protobuf.Struct. */
export type Fields = Map<string, MetadataValue>;

/** A google.protobuf.Value as far as we read it: numbers and booleans are none. */
export interface MetadataValue {
  text: string | undefined;
  fields: Fields | undefined;
  values: MetadataValue[] | undefined;
}

const metadata = checkRequestFields['envoy.config.core.v3.Metadata'];
const struct = checkRequestFields['google.protobuf.Struct'];
const value = checkRequestFields['google.protobuf.Value'];
const listValue = checkRequestFields['google.protobuf.ListValue'];
const known = {
  metadata: Object.values(metadata),
  struct: Object.values(struct),
  value: Object.values(value),
  listValue: Object.values(listValue),
  entry: Object.values(mapEntryFields),
} as const;

/** Values within values, beyond what any route says of itself; other readers stop at 100 messages, of which a value takes up to three. */
const maxDepth = 30;

/** Reads the contents of a Metadata message. Of several entries with one key the last counts. Throws a WireError. */
export function readMetadata(reader: WireReader, limit: number, into: Metadata): void {
  for (let field = reader.next(limit, known.metadata); field !== 0; field = reader.next(limit, known.metadata)) {
    if (field !== metadata.filter_metadata) reader.pass();
    else {
      const fields: Fields = new Map();
      const key = readEntry(reader, reader.end, (end) => readFields(reader, end, fields, 0));
      into.set(key, fields);
    }
  }
}

/** Reads an entry of a map; answers its key. `readValueAt` reads the value, which ends at the place it is given. */
function readEntry(reader: WireReader, limit: number, readValueAt: (end: number) => void): string {
  let key = '';
  for (let field = reader.next(limit, known.entry); field !== 0; field = reader.next(limit, known.entry)) {
    if (field === mapEntryFields.key) key = reader.text();
    else if (field === mapEntryFields.value) readValueAt(reader.end);
    else reader.pass();
  }
  return key;
}

function readFields(reader: WireReader, limit: number, into: Fields, depth: number): void {
  for (let field = reader.next(limit, known.struct); field !== 0; field = reader.next(limit, known.struct)) {
    if (field !== struct.fields) reader.pass();
    else {
      const one = emptyValue();
      const key = readEntry(reader, reader.end, (end) => readValue(reader, end, one, depth + 1));
      into.set(key, one);
    }
  }
}

function readValue(reader: WireReader, limit: number, into: MetadataValue, depth: number): void {
  if (depth > maxDepth) throw new WireError('values too deep');
  for (let field = reader.next(limit, known.value); field !== 0; field = reader.next(limit, known.value)) {
    switch (field) {
      case value.string_value:
        into.text = reader.text();
        break;
      case value.struct_value:
        readFields(reader, reader.end, (into.fields ??= new Map()), depth);
        break;
      case value.list_value:
        readValues(reader, reader.end, (into.values ??= []), depth);
        break;
      default:
        reader.pass();
    }
  }
}

function readValues(reader: WireReader, limit: number, into: MetadataValue[], depth: number): void {
  for (let field = reader.next(limit, known.listValue); field !== 0; field = reader.next(limit, known.listValue)) {
    if (field !== listValue.values) reader.pass();
    else {
      const one = emptyValue();
      readValue(reader, reader.end, one, depth + 1);
      into.push(one);
    }
  }
}

function emptyValue(): MetadataValue {
  return { text: undefined, fields: undefined, values: undefined };
}
