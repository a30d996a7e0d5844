import type { Schema } from '../../src/policy/schema/json-schema.ts';

/** One table of a page of the field reference: an object with its fields, the small ones below them included. */
export interface Section {
  /** The path of the object in the document; empty for the document itself. */
  readonly path: string;
  readonly schema: Schema;
  readonly fields: readonly Field[];
  /** This version does not build it. */
  readonly isLater: boolean;
}

export interface Field {
  readonly path: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
  readonly isLater: boolean;
  /** The path of the section that has its fields; undefined where it has none, or they stand in the rows behind it. */
  readonly section: string | undefined;
}

/** What an object of more fields than these has is told in a table of its own. */
const smallObject = 4;

interface Place {
  readonly path: string;
  readonly schema: Schema;
  readonly isLater: boolean;
}

/** The sections of a page in the order of the document. A part that the document has in several places is told once, in the nearest to its root. */
export function listSections(root: string, schema: Schema): readonly Section[] {
  const start: Place = { path: root, schema, isLater: false };
  const homes = findHomes(start);
  const sections: Section[] = [];
  const walk = (place: Place): void => {
    sections.push({ ...place, fields: fieldsOf(place, homes) });
    for (const child of largeObjectsIn(place)) if (homes.get(child.schema) === child.path) walk(child);
  };
  walk(start);
  return sections;
}

/** Where each large object stands nearest to the root. */
function findHomes(start: Place): ReadonlyMap<Schema, string> {
  const homes = new Map([[start.schema, start.path]]);
  let level: readonly Place[] = [start];
  while (level.length > 0) {
    const next = level.flatMap(largeObjectsIn).filter(({ schema }) => !homes.has(schema));
    for (const { path, schema } of next) if (!homes.has(schema)) homes.set(schema, path);
    level = next;
  }
  return homes;
}

function largeObjectsIn(place: Place): readonly Place[] {
  return childrenOf(place).flatMap((child) => {
    const object = objectOf(child);
    if (object === undefined) return [];
    return isTold(object, place) ? largeObjectsIn(object) : [object];
  });
}

function fieldsOf(place: Place, homes: ReadonlyMap<Schema, string>): readonly Field[] {
  const { required = [] } = place.schema;
  return childrenOf(place).flatMap((child) => {
    const { path, schema, name } = child;
    const object = objectOf(child);
    const isLater = child.isLater && !place.isLater;
    const section = object === undefined || isTold(object, place) ? undefined : homes.get(object.schema);
    const field: Field = { path, schema, isRequired: required.includes(name), isLater, section };
    return object === undefined || section !== undefined ? [field] : [field, ...fieldsOf(object, homes)];
  });
}

function childrenOf({ path, schema, isLater }: Place): readonly (Place & { readonly name: string })[] {
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    path: path === '' ? name : `${path}.${name}`,
    schema: property,
    isLater: isLater || property.unsupported === true,
  }));
}

/** The object whose fields are told of a place: itself, or that of its elements or values. */
function objectOf(place: Place): Place | undefined {
  const { path, schema } = place;
  if (schema.properties !== undefined) return place;
  if (schema.items !== undefined) return objectOf({ ...place, path: `${path}[]`, schema: schema.items });
  if (schema.additionalProperties !== undefined)
    return objectOf({ ...place, path: `${path}.NAME`, schema: schema.additionalProperties });
  return undefined;
}

/** Whether the rows of an object stand among those of the one that has it: it is small, and built where the other is. */
function isTold({ schema, isLater }: Place, within: Place): boolean {
  const { properties = {}, validations = [] } = schema;
  const fields = Object.values(properties);
  return (
    isLater === within.isLater &&
    validations.length === 0 &&
    fields.length > 0 &&
    fields.length <= smallObject &&
    fields.every((field) => objectOf({ path: '', schema: field, isLater }) === undefined)
  );
}
