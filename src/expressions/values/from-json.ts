import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { Fault } from './fault.ts';
import { MapValue, type Key, type MapSource, type Value } from './value.ts';

/** Of two ids beyond 2^53 one double may be left: nobody must take one identity for the other. */
const inexact = new Fault('result', 'a number of JSON is beyond what a double holds exactly (2^53)');

/** A JSON object as CEL sees it: a map that is read member by member, in which numbers are doubles. One that is not exact is a Fault. */
export function fromObject(object: JsonObject): MapValue {
  return new MapValue(objectSource(object));
}

/** What holds a number that is not exact, but for the members of an object, which are asked one by one, is a Fault as a whole. */
function fromJson(value: JsonValue): Value | Fault {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER ? inexact : value;
  if (isJsonObject(value)) return fromObject(value);
  if (!isJsonArray(value)) return value;
  if (isTexts(value)) return value;
  const elements: Value[] = [];
  for (const entry of value) {
    const element = fromJson(entry);
    if (element instanceof Fault) return element;
    elements.push(element);
  }
  return elements;
}

/** Own members only: `__proto__` and `constructor` are names like others. */
function objectSource(object: JsonObject): MapSource {
  return {
    get: (key: Key) => {
      const member = typeof key === 'string' && Object.hasOwn(object, key) ? object[key] : undefined;
      return member === undefined ? undefined : fromJson(member);
    },
    keys: () => Object.keys(object),
    get size() {
      return Object.keys(object).length;
    },
  };
}

function isJsonArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isTexts(values: readonly JsonValue[]): values is readonly string[] {
  return values.every((element) => typeof element === 'string');
}
