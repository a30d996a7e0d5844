import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { Schema } from './json-schema.ts';

/** What the structure check holds values against, of one place in a schema. */
const checked = [
  'type',
  'required',
  'minProperties',
  'maxProperties',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minLength',
  'maxLength',
  'pattern',
  'minimum',
  'maximum',
  'enum',
  'unsupportedValues',
] as const;

/**
 * The JSON Schema of the structure check: without what is for readers and for the API server. Of what this version does not build nothing is left
 * but the refusal, so that its shape costs nothing.
 */
export function structureOf(schema: Schema): JsonObject {
  if (schema.unsupported) return { unsupported: true };
  const structure: Record<string, JsonValue> = {};
  for (const keyword of checked) {
    const value = schema[keyword];
    if (value !== undefined) structure[keyword] = value;
  }
  if (schema.items !== undefined) structure['items'] = structureOf(schema.items);
  if (schema.properties !== undefined)
    structure['properties'] = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, structureOf(property)]),
    );
  if (schema.type === 'object' && !schema.anyFields) {
    structure['additionalProperties'] =
      schema.additionalProperties === undefined ? false : structureOf(schema.additionalProperties);
  }
  return structure;
}
