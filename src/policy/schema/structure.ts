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

/** The part of a schema that a value is held against, in the words of JSON Schema. */
export interface Structure extends Partial<Pick<Schema, (typeof checked)[number] | 'unsupported'>> {
  readonly properties?: Readonly<Record<string, Structure>>;
  /** False: an object has no fields but its `properties`. */
  readonly additionalProperties?: Structure | false;
  readonly items?: Structure;
}

/**
 * The structure of a schema: without what is for readers and for the API server. Of what this version does not build nothing is left but the
 * refusal, so that its shape costs nothing.
 */
export function structureOf(schema: Schema): Structure {
  if (schema.unsupported) return { unsupported: true };
  const { items, properties, additionalProperties, anyFields, type } = schema;
  const isClosed = type === 'object' && !anyFields;
  return {
    ...Object.fromEntries(
      checked.flatMap((keyword) => (schema[keyword] === undefined ? [] : [[keyword, schema[keyword]]])),
    ),
    ...(items === undefined ? {} : { items: structureOf(items) }),
    ...(properties === undefined ? {} : { properties: structuresOf(properties) }),
    ...(isClosed
      ? { additionalProperties: additionalProperties === undefined ? false : structureOf(additionalProperties) }
      : {}),
  };
}

function structuresOf(properties: Readonly<Record<string, Schema>>): Readonly<Record<string, Structure>> {
  return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, structureOf(property)]));
}
