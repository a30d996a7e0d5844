import { Fault } from '../values/fault.ts';
import { guards, isList } from '../values/kind.ts';
import { spendList, spendText, type Meter } from '../values/meter.ts';
import { Uint, type Value } from '../values/value.ts';
import { addTimes, subtractTimes } from './time-arithmetic.ts';

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

const overflow = new Fault('value', 'the number is out of range');
const byZero = new Fault('value', 'division by zero');
const noOverload = new Fault('value', 'the operator does not take values of these types');

/** CEL's arithmetic: checked 64-bit int and uint, IEEE double, and the sums of texts, bytes, lists, timestamps and durations. */
export function calculate(operator: ArithmeticOperator, a: Value, b: Value, meter: Meter): Value | Fault {
  if (typeof a === 'bigint' && typeof b === 'bigint') return toInt(integers(operator, a, b));
  if (typeof a === 'number' && typeof b === 'number') return doubles(operator, a, b);
  if (a instanceof Uint && b instanceof Uint) return toUint(integers(operator, a.value, b.value));
  if (operator === '+') return add(a, b, meter);
  return operator === '-' ? (subtractTimes(a, b) ?? noOverload) : noOverload;
}

/** CEL's unary minus. */
export function negate(value: Value): Value | Fault {
  if (typeof value === 'bigint') return toInt(-value);
  return typeof value === 'number' ? -value : noOverload;
}

/** The int, or the Fault where it needs more than 64 bits. */
export function toInt(value: bigint | Fault): bigint | Fault {
  return value instanceof Fault || value === BigInt.asIntN(64, value) ? value : overflow;
}

/** The uint, or the Fault where it is negative or needs more than 64 bits. */
export function toUint(value: bigint | Fault): Uint | Fault {
  if (value instanceof Fault) return value;
  return value === BigInt.asUintN(64, value) ? new Uint(value) : overflow;
}

function integers(operator: ArithmeticOperator, a: bigint, b: bigint): bigint | Fault {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b === 0n ? byZero : a / b;
    case '%':
      return b === 0n ? byZero : a % b;
  }
}

function doubles(operator: ArithmeticOperator, a: number, b: number): number | Fault {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return noOverload;
  }
}

function add(a: Value, b: Value, meter: Meter): Value | Fault {
  if (typeof a === 'string' && typeof b === 'string') return spendText(meter, a.length + b.length) ?? a + b;
  if (isList(a) && isList(b)) return spendList(meter, a.length + b.length) ?? [...a, ...b];
  if (guards.bytes(a) && guards.bytes(b)) {
    return spendText(meter, a.length + b.length) ?? new Uint8Array(Buffer.concat([a, b]));
  }
  return addTimes(a, b) ?? noOverload;
}
