import type { ExprValue } from '@bufbuild/cel-spec/cel/expr/eval_pb.js';
import type { Value as ProtoValue } from '@bufbuild/cel-spec/cel/expr/value_pb.js';
import type { Decl, Type } from '@bufbuild/cel-spec/cel/expr/checked_pb.js';
import { toKey } from '../../../src/expressions/values/key.ts';
import {
  Duration,
  MapValue,
  Timestamp,
  TypeValue,
  Uint,
  type Key,
  type Value,
} from '../../../src/expressions/values/value.ts';

/** What a test of the suite needs that we do not have: protobuf messages and enums. */
export class NotOffered extends Error {}

/** A value of the suite as ours. */
export function fromProto({ kind }: ProtoValue): Value {
  if (kind.case === 'nullValue') return null;
  if (kind.case === 'boolValue' || kind.case === 'stringValue' || kind.case === 'bytesValue') return kind.value;
  if (kind.case === 'doubleValue' || kind.case === 'int64Value') return kind.value;
  if (kind.case === 'uint64Value') return new Uint(kind.value);
  if (kind.case === 'typeValue') return new TypeValue(kind.value);
  if (kind.case === 'listValue') return kind.value.values.map(fromProto);
  if (kind.case === 'mapValue') {
    return new MapValue(new Map(kind.value.entries.map((entry) => [keyOf(entry.key), valueOf(entry.value)])));
  }
  if (kind.case === 'objectValue') return fromAny(kind.value);
  throw new NotOffered(`a value of ${kind.case ?? 'no kind'}`);
}

/** `google.protobuf.Timestamp` and `Duration`: the two messages that are types of CEL. */
function fromAny({ typeUrl, value }: { readonly typeUrl: string; readonly value: Uint8Array }): Value {
  const nanos = nanosOf(value);
  if (typeUrl.endsWith('/google.protobuf.Timestamp')) return new Timestamp(nanos);
  if (typeUrl.endsWith('/google.protobuf.Duration')) return new Duration(nanos);
  throw new NotOffered(`a message ${typeUrl}`);
}

/** Two varints: the seconds in field 1, the nanoseconds in field 2. */
function nanosOf(bytes: Uint8Array): bigint {
  let nanos = 0n;
  let position = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(bytes[position++] ?? 0);
      value |= (byte & 127n) << shift;
      if (byte < 128n) return BigInt.asIntN(64, value);
    }
  };
  while (position < bytes.length) nanos += varint() >> 3n === 1n ? varint() * 1_000_000_000n : varint();
  return nanos;
}

function valueOf(value: ProtoValue | undefined): Value {
  if (value === undefined) throw new NotOffered('an entry without a value');
  return fromProto(value);
}

function keyOf(value: ProtoValue | undefined): Key {
  const key = toKey(valueOf(value));
  if (key === undefined) throw new NotOffered('an entry without a key');
  return key;
}

export function fromExprValue({ kind }: ExprValue): Value {
  if (kind.case !== 'value') throw new NotOffered(`a binding that is ${kind.case ?? 'nothing'}`);
  return fromProto(kind.value);
}

/** The type of a declared variable in CEL's spelling. */
export function typeOfDeclaration({ declKind }: Decl): string {
  if (declKind.case !== 'ident' || declKind.value.type === undefined) throw new NotOffered('a declared function');
  return typeText(declKind.value.type);
}

const primitives = ['', 'bool', 'int', 'uint', 'double', 'string', 'bytes'];
const wellKnown = ['', 'dyn', 'google.protobuf.Timestamp', 'google.protobuf.Duration'];

function typeText({ typeKind }: Type): string {
  if (typeKind.case === 'primitive') return primitives[typeKind.value] ?? 'dyn';
  if (typeKind.case === 'wellKnown') return wellKnown[typeKind.value] ?? 'dyn';
  if (typeKind.case === 'listType') return `list<${inner(typeKind.value.elemType)}>`;
  if (typeKind.case === 'mapType') return `map<${inner(typeKind.value.keyType)}, ${inner(typeKind.value.valueType)}>`;
  if (typeKind.case === 'dyn' || typeKind.case === 'null' || typeKind.case === 'type') return typeKind.case;
  throw new NotOffered(`a variable of a type that is ${typeKind.case ?? 'nothing'}`);
}

function inner(type: Type | undefined): string {
  return type === undefined ? 'dyn' : typeText(type);
}
