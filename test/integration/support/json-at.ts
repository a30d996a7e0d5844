import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../../../src/core/json.ts';

/** The value at the path; undefined where there is none. */
export function findAt(value: JsonValue, ...path: readonly (string | number)[]): JsonValue | undefined {
  let at: JsonValue | undefined = value;
  for (const step of path) {
    if (typeof step === 'number') at = Array.isArray(at) ? at[step] : undefined;
    else at = isJsonObject(at) ? ownMember(at, step) : undefined;
  }
  return at;
}

/** The object at the path. Throws where there is none. */
export function objectAt(value: JsonValue, ...path: readonly (string | number)[]): JsonObject {
  const found = findAt(value, ...path);
  if (!isJsonObject(found)) throw new Error(`no object at ${path.join('.')}`);
  return found;
}

/** The text at the path; empty where there is none. */
export function textAt(value: JsonValue, ...path: readonly (string | number)[]): string {
  const found = findAt(value, ...path);
  return typeof found === 'string' ? found : '';
}

/** The objects of the list at the path; none where there is no list. */
export function objectsAt(value: JsonValue, ...path: readonly (string | number)[]): readonly JsonObject[] {
  const found = findAt(value, ...path);
  return Array.isArray(found) ? found.filter((item) => isJsonObject(item)) : [];
}

/** The value with every object replaced by what `change` makes of it, from the inside to the outside. */
export function mapObjects(value: JsonValue, change: (object: JsonObject) => JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item) => mapObjects(item, change));
  if (!isJsonObject(value)) return value;
  return change(Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mapObjects(member, change)])));
}
