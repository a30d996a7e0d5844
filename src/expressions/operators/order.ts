import { Fault } from '../values/fault.ts';
import { guards } from '../values/kind.ts';
import { spend, type Meter } from '../values/meter.ts';
import { Uint, type Value } from '../values/value.ts';

const incomparable = new Fault('value', 'the values have no order');
const surrogate = /[\ud800-\udfff]/;

export type OrderOperator = '<' | '<=' | '>' | '>=';

/** CEL's order: numbers by worth across their types, text by code points, bytes, bool, timestamps and durations within their own. */
export function inOrder(operator: OrderOperator, a: Value, b: Value, meter: Meter): boolean | Fault {
  const [x, y] = [rankOf(a), rankOf(b)];
  if (x !== undefined && y !== undefined && isNumeric(a) === isNumeric(b) && (isNumeric(a) || typeof a === typeof b)) {
    if (typeof x === 'string' || typeof y === 'string') {
      const over = spend(meter, String(x).length >> 4);
      if (over !== undefined) return over;
      if (surrogate.test(String(x)) || surrogate.test(String(y))) {
        return holds(operator, Buffer.compare(Buffer.from(String(x)), Buffer.from(String(y))), 0);
      }
    }
    return holds(operator, x, y);
  }
  if (guards.timestamp(a) && guards.timestamp(b)) return holds(operator, a.nanos, b.nanos);
  if (guards.duration(a) && guards.duration(b)) return holds(operator, a.nanos, b.nanos);
  if (guards.bytes(a) && guards.bytes(b)) {
    return spend(meter, a.length >> 5) ?? holds(operator, Buffer.compare(a, b), 0);
  }
  return incomparable;
}

type Rank = number | bigint | string;

function rankOf(value: Value): Rank | undefined {
  if (typeof value === 'string' || isNumber(value)) return value;
  if (typeof value === 'boolean') return Number(value);
  return value instanceof Uint ? value.value : undefined;
}

function isNumber(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function isNumeric(value: Value): boolean {
  return isNumber(value) || value instanceof Uint;
}

function holds(operator: OrderOperator, x: Rank, y: Rank): boolean {
  switch (operator) {
    case '<':
      return x < y;
    case '<=':
      return x <= y;
    case '>':
      return x > y;
    case '>=':
      return x >= y;
  }
}
