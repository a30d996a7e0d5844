import { formatDouble } from './functions/format-number.ts';
import { Fault } from './values/fault.ts';
import { isList, kindOf } from './values/kind.ts';
import { OptionalValue, Uint, type Value } from './values/value.ts';

/** The value for a header: a text, the texts of a list, or undefined where it is absent. */
export type HeaderValue = string | readonly string[] | undefined;

const elements = ['string', 'bool', 'int', 'uint', 'double', 'dyn'];
const types = new Set([
  'null',
  ...elements.flatMap((type) => [type, `list<${type}>`, `optional<${type}>`, `optional<list<${type}>>`]),
  'list',
  'optional',
  'optional<list>',
  'list<T>',
]);

/** Why a type can never be the value of a header; undefined where it can. */
export function isHeaderType(type: string): string | undefined {
  return types.has(type) ? undefined : `the value is of type ${type}, not text, number, bool or a list of these`;
}

/** S25: text, number, bool or a list of them. Null and an optional without a value are absent. */
export function toHeaderValue(value: Value): HeaderValue | Fault {
  if (value === null) return undefined;
  if (value instanceof OptionalValue) return value.value === undefined ? undefined : toHeaderValue(value.value);
  if (!isList(value)) return toText(value);
  const texts: string[] = [];
  for (const element of value) {
    const text = toText(element);
    if (text instanceof Fault) return text;
    texts.push(text);
  }
  return texts;
}

const notFinite = new Fault('result', 'the number is not finite');
/** Of two ids beyond 2^53 one double may be left: the upstream would take one identity for the other. */
const inexact = new Fault('result', 'the number is beyond what a double holds exactly (2^53)');

function toText(value: Value): string | Fault {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return notFinite;
    return Math.abs(value) > Number.MAX_SAFE_INTEGER ? inexact : formatDouble(value);
  }
  if (value instanceof Uint) return String(value.value);
  return new Fault('result', `a value of type ${kindOf(value)} cannot stand in a header`);
}
