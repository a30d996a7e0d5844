import { toInt, toUint } from '../operators/arithmetic.ts';
import { Fault } from '../values/fault.ts';
import { typeNameOf } from '../values/kind.ts';
import { spendText } from '../values/meter.ts';
import { TypeValue } from '../values/value.ts';
import { plain, unary } from './definition.ts';
import { formatDouble } from './format-number.ts';
import { formatDuration, formatTimestamp } from './time-text.ts';

const notBool = new Fault('value', 'the text is no bool');
const notNumber = new Fault('value', 'the text is no number of the type');
const outOfRange = new Fault('value', 'the number is out of range');
const notUtf8 = new Fault('value', 'the bytes are not UTF-8');
const integer = /^[-+]?\d{1,20}$/;
const decimal = /^[-+]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][-+]?\d{1,5})?$/;
const second = 1_000_000_000n;

const bools: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
]);
const special: ReadonlyMap<string, number> = new Map([
  ...['nan', '+nan', '-nan'].map((text) => [text, Number.NaN] as const),
  ...['inf', '+inf', 'infinity', '+infinity'].map((text) => [text, Number.POSITIVE_INFINITY] as const),
  ...['-inf', '-infinity'].map((text) => [text, Number.NEGATIVE_INFINITY] as const),
]);

/** What turns a value of one type into one of another; what does not fit is an error. */
export const conversions = [
  plain(
    'dyn',
    'dyn',
    unary('any', (value) => value),
  ),
  plain(
    'type',
    'type',
    unary('any', (value) => new TypeValue(typeNameOf(value))),
  ),
  plain(
    'bool',
    'bool',
    unary('bool', (value) => value),
  ),
  plain(
    'bool',
    'bool',
    unary('string', (text) => bools.get(text) ?? notBool),
  ),
  plain(
    'bytes',
    'bytes',
    unary('bytes', (value) => value),
  ),
  plain(
    'bytes',
    'bytes',
    unary('string', (text, meter) => spendText(meter, text.length) ?? encode(text)),
  ),
  plain(
    'double',
    'double',
    unary('double', (value) => value),
  ),
  plain('double', 'double', unary('int', Number)),
  plain(
    'double',
    'double',
    unary('uint', ({ value }) => Number(value)),
  ),
  plain(
    'double',
    'double',
    unary('string', (text) => special.get(text.toLowerCase()) ?? toDouble(text)),
  ),
  plain(
    'int',
    'int',
    unary('int', (value) => value),
  ),
  plain(
    'int',
    'int',
    unary('uint', ({ value }) => toInt(value)),
  ),
  plain(
    'int',
    'int',
    unary('double', (value) => toInt(truncate(value))),
  ),
  plain(
    'int',
    'int',
    unary('string', (text) => toInt(readInteger(text))),
  ),
  plain(
    'int',
    'int',
    unary('timestamp', ({ nanos }) => (nanos - (((nanos % second) + second) % second)) / second),
  ),
  plain(
    'uint',
    'uint',
    unary('uint', (value) => value),
  ),
  plain('uint', 'uint', unary('int', toUint)),
  plain(
    'uint',
    'uint',
    unary('double', (value) => toUint(truncate(value))),
  ),
  plain(
    'uint',
    'uint',
    unary('string', (text) => toUint(readInteger(text))),
  ),
  plain(
    'string',
    'string',
    unary('string', (value) => value),
  ),
  plain('string', 'string', unary('bool', String)),
  plain('string', 'string', unary('int', String)),
  plain(
    'string',
    'string',
    unary('uint', ({ value }) => String(value)),
  ),
  plain('string', 'string', unary('double', formatDouble)),
  plain(
    'string',
    'string',
    unary('bytes', (bytes, meter) => spendText(meter, bytes.length) ?? decode(bytes)),
  ),
  plain(
    'string',
    'string',
    unary('timestamp', ({ nanos }) => formatTimestamp(nanos)),
  ),
  plain(
    'string',
    'string',
    unary('duration', ({ nanos }) => formatDuration(nanos)),
  ),
  plain(
    'string',
    'string',
    unary('ip', ({ address }) => address),
  ),
  plain(
    'string',
    'string',
    unary('cidr', ({ text }) => text),
  ),
];

function toDouble(text: string): number | Fault {
  return decimal.test(text) ? Number(text) : notNumber;
}

function readInteger(text: string): bigint | Fault {
  return integer.test(text) ? BigInt(text.replace(/^\+/, '')) : notNumber;
}

/** The edges are refused where a double cannot tell them from their neighbours. */
function truncate(value: number): bigint | Fault {
  return Number.isFinite(value) && Math.abs(value) < 2 ** 64 && value !== -(2 ** 63) && value !== 2 ** 63
    ? BigInt(Math.trunc(value))
    : outOfRange;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decode(bytes: Uint8Array): string | Fault {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return notUtf8;
  }
}
