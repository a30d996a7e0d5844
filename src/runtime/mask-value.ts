import type { JsonObject, JsonValue } from '../core/json.ts';

/** Shows a value, or says in words what it is. */
export type ShowValue = (value: JsonValue | undefined) => JsonValue;

export function createShowValue(isShown: boolean): ShowValue {
  if (isShown) return (value) => value ?? null;
  return maskValue;
}

/** What the value is, and nothing of it. */
export function maskValue(value: JsonValue | undefined): JsonValue {
  if (value === undefined) return '(absent)';
  if (value === null) return '(null)';
  if (Array.isArray(value)) return `(list of ${value.length})`;
  return typeof value === 'string' ? `(text of ${value.length})` : `(${typeof value})`;
}

/** Every member shown by itself. */
export function showMembers(object: JsonObject, show: ShowValue): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, show(value)]));
}
