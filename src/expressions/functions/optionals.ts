import { Fault } from '../values/fault.ts';
import { isList } from '../values/kind.ts';
import { MapValue, none, OptionalValue, Uint, type Value } from '../values/value.ts';
import { method, nullary, unary, within } from './definition.ts';

const empty = new Fault('absent', 'the optional has no value');

/** What asks an optional, and makes one; `or` and `orValue` are macros. */
export const optionalFunctions = [
  within(
    'optional',
    'none',
    'optional<dyn>',
    nullary(() => none),
  ),
  within(
    'optional',
    'of',
    'optional<dyn>',
    unary('any', (value) => new OptionalValue(value)),
  ),
  within(
    'optional',
    'ofNonZeroValue',
    'optional<dyn>',
    unary('any', (value) => (isZero(value) ? none : new OptionalValue(value))),
  ),
  method(
    'hasValue',
    'bool',
    unary('optional', ({ value }) => value !== undefined),
  ),
  method(
    'value',
    'dyn',
    unary('optional', ({ value }) => value ?? (value === null ? null : empty)),
  ),
];

/** What a field has that nobody set: null, false, 0, and all that is empty. */
function isZero(value: Value): boolean {
  if (value === null || value === false || value === '' || value === 0n || value === 0) return true;
  if (isList(value)) return value.length === 0;
  if (value instanceof MapValue) return value.source.size === 0;
  if (value instanceof Uint) return value.value === 0n;
  return value instanceof Uint8Array && value.length === 0;
}
