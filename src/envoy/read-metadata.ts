import { WireError, type WireReader } from '../std/wire-reader.ts';
import { checkRequestFields, mapEntryFields } from './check-request-fields.ts';

/** The fields of a google.protobuf.Struct that somebody asks for. */
export type Fields = Map<string, MetadataValue>;

/** A google.protobuf.Value as far as we read it: one of the three, and none where it is a number, a boolean or nothing. */
export interface MetadataValue {
  text: string | undefined;
  fields: Fields | undefined;
  values: ListedValues | undefined;
}

/** A google.protobuf.ListValue, of which only the first value is made. */
export interface ListedValues {
  first: MetadataValue | undefined;
  count: number;
}

/** Whether a field is asked for, by its name, and then which of the fields within. */
export type Wanted = (name: string) => Wanted | undefined;

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

/** The tags of the values that are not read: null_value (1, a varint), number_value (2, 64 bits) and bool_value (4, a varint). */
const otherKinds: ReadonlySet<number> = new Set([0x08, 0x11, 0x20]);

/** Values within values, beyond what any route says of itself; other readers stop at 100 messages, of which a value takes up to three. */
const maxDepth = 30;
/** Fields of one Struct that are made: far more than an object of Kubernetes may have annotations. */
const maxFields = 10_000;

/**
 * Reads the contents of a `core.v3.Metadata` message: a Struct by namespace. What is not wanted is held against the wire format and passed over. Of several
 * entries with one key the last counts, and of a Value of several kinds the last kind. Throws a WireError.
 */
export function readMetadata(reader: WireReader, limit: number, wanted: Wanted, into: Fields): void {
  for (let field = reader.next(limit, known.metadata); field !== 0; field = reader.next(limit, known.metadata)) {
    if (field === metadata.filter_metadata) readEntry(reader, wanted, into, readStruct, 0);
    else reader.pass();
  }
}

/** Reads a value that ends at `limit`; makes nothing of it where there is nothing to put it into. */
type ReadValue = (
  reader: WireReader,
  limit: number,
  wanted: Wanted,
  into: MetadataValue | undefined,
  depth: number,
) => void;

/** Reads an entry of a map. Its key may come behind its value, so it is looked for first. */
function readEntry(
  reader: WireReader,
  wanted: Wanted,
  into: Fields | undefined,
  readOne: ReadValue,
  depth: number,
): void {
  const { at, end } = reader;
  let key = '';
  if (into !== undefined) {
    for (let field = reader.next(end, known.entry); field !== 0; field = reader.next(end, known.entry)) {
      if (field === mapEntryFields.key) key = reader.text();
      else reader.pass();
    }
    reader.goBack(at);
  }
  const within = into === undefined ? undefined : wanted(key);
  const one: MetadataValue | undefined =
    within === undefined ? undefined : { text: undefined, fields: undefined, values: undefined };
  for (let field = reader.next(end, known.entry); field !== 0; field = reader.next(end, known.entry)) {
    if (field === mapEntryFields.value) readOne(reader, reader.end, within ?? nothing, one, depth);
    else reader.pass();
  }
  if (into === undefined || one === undefined) return;
  into.set(key, one);
  if (into.size > maxFields) throw new WireError('too many fields');
}

const nothing: Wanted = () => undefined;

const readStruct: ReadValue = (reader, limit, wanted, into, depth) => {
  const fields = into === undefined ? undefined : (into.fields ??= new Map());
  for (let field = reader.next(limit, known.struct); field !== 0; field = reader.next(limit, known.struct)) {
    if (field === struct.fields) readEntry(reader, wanted, fields, readValue, depth + 1);
    else reader.pass();
  }
};

const readValue: ReadValue = (reader, limit, wanted, into, depth) => {
  if (depth > maxDepth) throw new WireError('values too deep');
  const onOther = into && ((tag: number) => otherKinds.has(tag) && keepOnly(into, undefined));
  for (let field = reader.next(limit, known.value, onOther); field !== 0;) {
    switch (field) {
      case value.string_value:
        if (into === undefined) reader.pass();
        else keepOnly(into, 'text').text = reader.text();
        break;
      case value.struct_value:
        readStruct(reader, reader.end, wanted, into && keepOnly(into, 'fields'), depth);
        break;
      case value.list_value:
        readList(reader, reader.end, wanted, into && keepOnly(into, 'values'), depth);
        break;
      default:
        reader.pass();
    }
    field = reader.next(limit, known.value, onOther);
  }
};

const readList: ReadValue = (reader, limit, wanted, into, depth) => {
  const list = into === undefined ? undefined : (into.values ??= { first: undefined, count: 0 });
  for (let field = reader.next(limit, known.listValue); field !== 0; field = reader.next(limit, known.listValue)) {
    if (field !== listValue.values) {
      reader.pass();
      continue;
    }
    let one: MetadataValue | undefined;
    if (list !== undefined && list.count++ === 0) {
      one = { text: undefined, fields: undefined, values: undefined };
      list.first = one;
    }
    readValue(reader, reader.end, wanted, one, depth + 1);
  }
};

/** The kinds of a Value exclude one another: with one, the others that came before are gone. */
function keepOnly(one: MetadataValue, kind: keyof MetadataValue | undefined): MetadataValue {
  if (kind !== 'text') one.text = undefined;
  if (kind !== 'fields') one.fields = undefined;
  if (kind !== 'values') one.values = undefined;
  return one;
}
