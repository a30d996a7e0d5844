import type { Fault } from './fault.ts';

/** A value of CEL. `bigint` is int, `number` is double; nothing of JavaScript's can be reached through it. */
export type Value =
  | string
  | bigint
  | number
  | boolean
  | null
  | Uint8Array
  | readonly Value[]
  | Uint
  | Timestamp
  | Duration
  | MapValue
  | RecordValue
  | OptionalValue
  | TypeValue
  | IpValue
  | CidrValue;

export class Uint {
  readonly kind = 'uint';
  /** 0 to 2^64-1. */
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

export class Timestamp {
  readonly kind = 'timestamp';
  /** Nanoseconds since the epoch. */
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export class Duration {
  readonly kind = 'duration';
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** What a map is asked by: text, bool, or a whole number whatever its type. */
export type Key = string | boolean | bigint;

/** Where a map has its entries from; a JavaScript Map is one. Undefined: no such key. */
export interface MapSource {
  get(key: Key): Value | Fault | undefined;
  keys(): Iterable<Key>;
  readonly size: number;
}

export class MapValue {
  readonly kind = 'map';
  readonly source: MapSource;

  constructor(source: MapSource) {
    this.source = source;
  }
}

/** A variable with fields of fixed names. Undefined: the field is absent. */
export class RecordValue {
  readonly kind = 'record';
  readonly typeName: string;
  readonly get: (field: string) => Value | Fault | undefined;

  constructor(typeName: string, get: (field: string) => Value | Fault | undefined) {
    this.typeName = typeName;
    this.get = get;
  }
}

export class OptionalValue {
  readonly kind = 'optional';
  /** Undefined: none. */
  readonly value: Value | undefined;

  constructor(value: Value | undefined) {
    this.value = value;
  }
}

export const none = new OptionalValue(undefined);

export class TypeValue {
  readonly kind = 'type';
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export class IpValue {
  readonly kind = 'ip';
  /** As `canonicalIp` spells it. */
  readonly address: string;

  constructor(address: string) {
    this.address = address;
  }
}

export class CidrValue {
  readonly kind = 'cidr';
  readonly text: string;
  /** `address` as `canonicalIp` spells it. */
  readonly contains: (address: string) => boolean;

  constructor(text: string, contains: (address: string) => boolean) {
    this.text = text;
    this.contains = contains;
  }
}
