import { Fault } from '../values/fault.ts';
import { guards, isList } from '../values/kind.ts';
import { spend, spendText, type Meter } from '../values/meter.ts';
import { Uint, type MapValue, type Value } from '../values/value.ts';
import { formatExponent, formatFixed } from './format-number.ts';
import { formatDuration, formatTimestamp } from './time-text.ts';

const clause = /%(?:\.(\d{1,3}))?([a-zA-Z%]?)/g;
const maxPrecision = 100;
const badClause = new Fault('value', 'the format has a clause that does not exist or does not take the value');
const tooFew = new Fault('value', 'the format has more clauses than there are arguments');

/** `'%s has %d'.format([name, count])`: the clauses s, d, f, e, x, X, o and b of CEL's string extension. */
export function format(text: string, args: readonly Value[], meter: Meter): string | Fault {
  let made = '';
  let done = 0;
  let used = 0;
  for (const found of text.matchAll(clause)) {
    const [whole, precision, verb = ''] = found;
    made += text.slice(done, found.index);
    done = found.index + whole.length;
    const part = verb === '%' && precision === undefined ? '%' : formatNext(args[used++], verb, precision, meter);
    if (part instanceof Fault) return part;
    const over = spend(meter, 4) ?? spendText(meter, made.length + part.length);
    if (over !== undefined) return over;
    made += part;
  }
  return spendText(meter, made.length + text.length - done) ?? made + text.slice(done);
}

function formatNext(
  value: Value | undefined,
  verb: string,
  precision: string | undefined,
  meter: Meter,
): string | Fault {
  if (value === undefined) return tooFew;
  const digits = Number(precision ?? '6');
  const over = spend(meter, digits);
  if (over !== undefined) return over;
  if (digits > maxPrecision) return badClause;
  switch (verb) {
    case 's':
      return formatText(value, meter);
    case 'd':
      return formatDecimal(value);
    case 'f':
      return formatReal(value, digits, formatFixed);
    case 'e':
      return formatReal(value, digits, formatExponent);
    case 'x':
      return formatHex(value, meter);
    case 'X':
      return upper(formatHex(value, meter));
    case 'o':
      return integerOf(value)?.toString(8) ?? badClause;
    case 'b':
      return typeof value === 'boolean' ? String(Number(value)) : (integerOf(value)?.toString(2) ?? badClause);
    default:
      return badClause;
  }
}

function integerOf(value: Value): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return value instanceof Uint ? value.value : undefined;
}

function formatDecimal(value: Value): string | Fault {
  const integer = integerOf(value);
  if (integer !== undefined) return String(integer);
  return typeof value === 'number' ? doubleText(value) : badClause;
}

function formatReal(value: Value, digits: number, write: (value: number, digits: number) => string): string | Fault {
  if (typeof value === 'number') return write(value, digits);
  const integer = integerOf(value);
  return integer === undefined ? badClause : write(Number(integer), digits);
}

function formatHex(value: Value, meter: Meter): string | Fault {
  if (typeof value === 'string') {
    return spendText(meter, 2 * value.length) ?? Buffer.from(value).toString('hex');
  }
  if (guards.bytes(value)) return spendText(meter, 2 * value.length) ?? Buffer.from(value).toString('hex');
  return integerOf(value)?.toString(16) ?? badClause;
}

function upper(text: string | Fault): string | Fault {
  return text instanceof Fault ? text : text.toUpperCase();
}

function doubleText(value: number): string {
  if (!Number.isFinite(value)) return formatFixed(value, 0);
  return String(value).replace(/e([-+])(\d)$/, 'e$10$2');
}

/** `%s`: any value but those that have no text. */
function formatText(value: Value, meter: Meter): string | Fault {
  const over = spend(meter, 1);
  if (over !== undefined) return over;
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return doubleText(value);
  if (value === null) return 'null';
  if (isList(value)) return formatAll(value, meter);
  if (guards.map(value)) return formatMap(value, meter);
  if (guards.timestamp(value)) return formatTimestamp(value.nanos);
  if (guards.duration(value)) return formatDuration(value.nanos);
  if (guards.bytes(value)) return spendText(meter, value.length) ?? Buffer.from(value).toString('utf8');
  if (guards.type(value)) return value.name;
  if (guards.ip(value)) return value.address;
  if (guards.cidr(value)) return value.text;
  return typeof value === 'boolean' ? String(value) : (integerOf(value)?.toString() ?? badClause);
}

function formatAll(values: readonly Value[], meter: Meter): string | Fault {
  const texts: string[] = [];
  for (const value of values) {
    const text = formatText(value, meter);
    if (text instanceof Fault) return text;
    const over = spendText(meter, text.length);
    if (over !== undefined) return over;
    texts.push(text);
  }
  const whole = `[${texts.join(', ')}]`;
  return spendText(meter, whole.length) ?? whole;
}

/** Entries in the order of their keys' texts. */
function formatMap({ source }: MapValue, meter: Meter): string | Fault {
  const entries: [string, Value][] = [];
  for (const key of source.keys()) {
    const value = spend(meter, 4) ?? source.get(key);
    if (value instanceof Fault) return value;
    if (value !== undefined) entries.push([String(key), value]);
  }
  const texts: string[] = [];
  for (const [key, value] of entries.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const text = formatText(value, meter);
    if (text instanceof Fault) return text;
    const over = spendText(meter, key.length + text.length);
    if (over !== undefined) return over;
    texts.push(`${key}: ${text}`);
  }
  const whole = `{${texts.join(', ')}}`;
  return spendText(meter, whole.length) ?? whole;
}
