import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { MapValue, type Key, type MapSource, type Value } from './value.ts';

/** A JSON value as CEL sees it: numbers are doubles, objects are maps that are read member by member. */
export function fromJson(value: JsonValue): Value {
  if (isJsonObject(value)) return new MapValue(objectSource(value));
  if (!isJsonArray(value)) return value;
  return isTexts(value) ? value : value.map(fromJson);
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
