import { Fault } from '../values/fault.ts';
import { guards, isList, kindOf } from '../values/kind.ts';
import { spend, type Meter } from '../values/meter.ts';
import { Uint, type MapValue, type Value } from '../values/value.ts';

/** CEL's `==`: numbers by their worth whatever their type, lists and maps by what they hold, different types are not equal. */
export function equal(a: Value, b: Value, meter: Meter): boolean | Fault {
  if (typeof a === 'string' && typeof b === 'string') return spend(meter, a.length >> 6) ?? a === b;
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined || y !== undefined) return x !== undefined && y !== undefined && sameNumber(x, y);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (isList(a) && isList(b)) return listsEqual(a, b, meter);
  if (guards.map(a) && guards.map(b)) return mapsEqual(a, b, meter);
  return objectsEqual(a, b, meter);
}

/** CEL's `in` for a list. */
export function listHas(list: readonly Value[], value: Value, meter: Meter): boolean | Fault {
  if (typeof value === 'string') return spend(meter, list.length >> 3) ?? list.includes(value);
  let first: Fault | undefined;
  for (const element of list) {
    const found = spend(meter, 1) ?? equal(element, value, meter);
    if (found === true) return true;
    if (found instanceof Fault) first ??= found;
  }
  return first ?? false;
}

/** For `===` 1n is another number than 1. */
function sameNumber(x: number | bigint, y: number | bigint): boolean {
  if (typeof x === typeof y) return x === y;
  const [integer, double] = typeof x === 'bigint' ? [x, y] : [y, x];
  return Number.isInteger(double) && BigInt(double) === integer;
}

function numberOf(value: Value): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  return value instanceof Uint ? value.value : undefined;
}

function objectsEqual(a: Value, b: Value, meter: Meter): boolean | Fault {
  if (kindOf(a) !== kindOf(b)) return false;
  if (guards.bytes(a) && guards.bytes(b)) return spend(meter, a.length >> 5) ?? Buffer.compare(a, b) === 0;
  if (guards.timestamp(a) && guards.timestamp(b)) return a.nanos === b.nanos;
  if (guards.duration(a) && guards.duration(b)) return a.nanos === b.nanos;
  if (guards.type(a) && guards.type(b)) return a.name === b.name;
  if (guards.ip(a) && guards.ip(b)) return a.address === b.address;
  if (guards.cidr(a) && guards.cidr(b)) return a.text === b.text;
  if (guards.record(a) && guards.record(b)) return a.typeName === b.typeName;
  if (!guards.optional(a) || !guards.optional(b)) return false;
  if (a.value === undefined || b.value === undefined) return a.value === b.value;
  return equal(a.value, b.value, meter);
}

function listsEqual(a: readonly Value[], b: readonly Value[], meter: Meter): boolean | Fault {
  if (a.length !== b.length) return false;
  for (const [index, element] of a.entries()) {
    const other = b[index];
    const same = other !== undefined && (spend(meter, 1) ?? equal(element, other, meter));
    if (same !== true) return same;
  }
  return true;
}

function mapsEqual(a: MapValue, b: MapValue, meter: Meter): boolean | Fault {
  if (a.source.size !== b.source.size) return false;
  for (const key of a.source.keys()) {
    const over = spend(meter, 2);
    if (over !== undefined) return over;
    const [mine, other] = [a.source.get(key), b.source.get(key)];
    if (mine === undefined || other === undefined) return false;
    if (mine instanceof Fault) return mine;
    if (other instanceof Fault) return other;
    const same = equal(mine, other, meter);
    if (same !== true) return same;
  }
  return true;
}
