import {
  type CidrValue,
  type Duration,
  type IpValue,
  type MapValue,
  type OptionalValue,
  type RecordValue,
  type Timestamp,
  type TypeValue,
  type Uint,
  type Value,
} from './value.ts';

/** What functions take, by name; `texts` is a list of strings. */
export interface KindTypes {
  readonly any: Value;
  readonly string: string;
  readonly int: bigint;
  readonly uint: Uint;
  readonly double: number;
  readonly bool: boolean;
  readonly bytes: Uint8Array;
  readonly null: null;
  readonly list: readonly Value[];
  readonly texts: readonly string[];
  readonly map: MapValue;
  readonly record: RecordValue;
  readonly timestamp: Timestamp;
  readonly duration: Duration;
  readonly optional: OptionalValue;
  readonly type: TypeValue;
  readonly ip: IpValue;
  readonly cidr: CidrValue;
}
export type Kind = keyof KindTypes;
type OwnKind = Exclude<Kind, 'any' | 'texts'>;

/** The kind of a value. */
export function kindOf(value: Value): OwnKind {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'double';
  if (typeof value === 'boolean') return 'bool';
  if (value === null) return 'null';
  if (isList(value)) return 'list';
  return value instanceof Uint8Array ? 'bytes' : value.kind;
}

const typeNames: ReadonlyMap<OwnKind, string> = new Map([
  ['null', 'null_type'],
  ['timestamp', 'google.protobuf.Timestamp'],
  ['duration', 'google.protobuf.Duration'],
  ['optional', 'optional_type'],
  ['ip', 'net.IP'],
  ['cidr', 'net.CIDR'],
]);

/** CEL's name of the value's type, as `type()` gives it. */
export function typeNameOf(value: Value): string {
  const kind = kindOf(value);
  return guards.record(value) ? value.typeName : (typeNames.get(kind) ?? kind);
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isTexts(value: Value): value is readonly string[] {
  return isList(value) && value.every((element) => typeof element === 'string');
}

/** For each kind the test that narrows to it. */
export const guards: { readonly [K in Kind]: (value: Value) => value is KindTypes[K] } = {
  any: (value): value is Value => value !== undefined,
  string: (value) => typeof value === 'string',
  int: (value) => typeof value === 'bigint',
  uint: (value): value is Uint => kindOf(value) === 'uint',
  double: (value) => typeof value === 'number',
  bool: (value) => typeof value === 'boolean',
  bytes: (value) => value instanceof Uint8Array,
  null: (value) => value === null,
  list: isList,
  texts: isTexts,
  map: (value): value is MapValue => kindOf(value) === 'map',
  record: (value): value is RecordValue => kindOf(value) === 'record',
  timestamp: (value): value is Timestamp => kindOf(value) === 'timestamp',
  duration: (value): value is Duration => kindOf(value) === 'duration',
  optional: (value): value is OptionalValue => kindOf(value) === 'optional',
  type: (value): value is TypeValue => kindOf(value) === 'type',
  ip: (value): value is IpValue => kindOf(value) === 'ip',
  cidr: (value): value is CidrValue => kindOf(value) === 'cidr',
};
