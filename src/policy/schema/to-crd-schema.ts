import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { Schema } from './json-schema.ts';

/** What a structural schema says with the same words as we do. */
const kept = [
  'type',
  'default',
  'required',
  'minProperties',
  'maxProperties',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'pattern',
  'minimum',
  'maximum',
  'enum',
] as const;

/**
 * The structural schema (apiextensions.k8s.io/v1) of a place in a document. Where something can restrict, unknown fields are kept and null is
 * let through, so that our parser finds a misspelt field and an empty one (S2): an API server would take them away without a word.
 */
export function toCrdSchema(schema: Schema, isNullable = false): JsonObject {
  const crd: Record<string, JsonValue> = { description: describe(schema) };
  for (const keyword of kept) {
    const value = schema[keyword];
    if (value !== undefined) crd[keyword] = value;
  }
  if (isNullable) crd['nullable'] = true;
  if (schema.keepsUnknown || schema.anyFields) crd['x-kubernetes-preserve-unknown-fields'] = true;
  const properties = toProperties(schema, schema.properties ?? {});
  // An API server drops an empty map, and the CRD would never be as it was applied.
  if (Object.keys(properties).length > 0) crd['properties'] = properties;
  if (schema.additionalProperties !== undefined) crd['additionalProperties'] = toCrdSchema(schema.additionalProperties);
  if (schema.isAtomic) crd['x-kubernetes-map-type'] = 'atomic';
  if (schema.items !== undefined) Object.assign(crd, toList(schema, schema.items));
  if (schema.validations !== undefined) crd['x-kubernetes-validations'] = schema.validations.map((one) => ({ ...one }));
  return crd;
}

function toProperties(
  { keepsUnknown, required = [] }: Schema,
  properties: NonNullable<Schema['properties']>,
): JsonObject {
  const entries = Object.entries(properties).map(([name, property]) => {
    const isNullable = keepsUnknown === true && !required.includes(name) && property.default === undefined;
    return [name, toCrdSchema(property, isNullable)];
  });
  return Object.fromEntries(entries);
}

/** How server-side apply puts lists together (Kubernetes, "Merge strategy"). */
function toList({ isSet, uniqueItems, uniqueBy }: Schema, items: Schema): JsonObject {
  const schema = { items: toCrdSchema(items) };
  if (uniqueBy !== undefined)
    return { ...schema, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [uniqueBy] };
  return { ...schema, 'x-kubernetes-list-type': isSet || uniqueItems ? 'set' : 'atomic' };
}

function describe({ description, absent, unsupported }: Schema): string {
  const meant = absent === undefined ? '' : ` Absent: ${absent}.`;
  return `${description}${meant}${unsupported ? ' Not supported by this version: a document that has it is refused.' : ''}`;
}
