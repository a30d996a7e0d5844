import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Structure } from './structure.ts';

/** What can be broken; the others only say where to look. */
export type Keyword = Exclude<keyof Structure, 'properties' | 'items'>;

/** Where a value is not what its schema says: the keyword that it breaks, its path in the document and the schema that stands there. */
export interface Mismatch {
  readonly keyword: Keyword;
  readonly path: readonly (string | number)[];
  readonly value: JsonValue;
  readonly schema: Structure;
  /** The field that is missing (`required`) or that nobody knows (`additionalProperties`); undefined for other keywords. */
  readonly field: string | undefined;
}

type Path = readonly (string | number)[];
type Tell = (mismatch: Mismatch) => void;

/**
 * Tells of every mismatch of the value, in the order of the schema. It walks the schema as it is: a compiled validator needs a hundred
 * milliseconds and 25 MB for our schemas before it looks at the first document, and saves some microseconds with each.
 */
export function findMismatches(schema: Structure, value: JsonValue, path: Path, tell: Tell): void {
  const say = (keyword: Keyword, field?: string): void => tell({ keyword, path, value, schema, field });
  if (schema.type !== undefined && !isOfType(value, schema.type)) say('type');
  if (typeof value === 'number') judgeNumber(schema, value, say);
  if (typeof value === 'string') judgeText(schema, value, say);
  if (schema.enum !== undefined && !(typeof value === 'string' && schema.enum.includes(value))) say('enum');
  if (schema.unsupported === true) say('unsupported');
  if (typeof value === 'string' && schema.unsupportedValues?.includes(value) === true) say('unsupportedValues');
  if (Array.isArray(value)) judgeList(schema, value, path, say, tell);
  else if (isJsonObject(value)) judgeObject(schema, value, path, say, tell);
}

type Say = (keyword: Keyword, field?: string) => void;

function isOfType(value: JsonValue, type: NonNullable<Structure['type']>): boolean {
  switch (type) {
    case 'object':
      return isJsonObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'string':
    case 'boolean':
      return typeof value === type;
  }
}

function judgeNumber({ maximum, minimum }: Structure, value: number, say: Say): void {
  if (maximum !== undefined && value > maximum) say('maximum');
  if (minimum !== undefined && value < minimum) say('minimum');
}

/** Lengths are in characters, not in halves of them (JSON Schema Validation 6.3). */
function judgeText({ maxLength, minLength, pattern }: Structure, value: string, say: Say): void {
  if (maxLength !== undefined && value.length > maxLength && charactersIn(value) > maxLength) say('maxLength');
  if (minLength !== undefined && charactersIn(value) < minLength) say('minLength');
  if (pattern !== undefined && !compiledPattern(pattern).test(value)) say('pattern');
}

function charactersIn(text: string): number {
  let count = 0;
  for (const _character of text) count++;
  return count;
}

function judgeList(schema: Structure, value: readonly JsonValue[], path: Path, say: Say, tell: Tell): void {
  const { maxItems, minItems, uniqueItems, items } = schema;
  if (maxItems !== undefined && value.length > maxItems) say('maxItems');
  if (minItems !== undefined && value.length < minItems) say('minItems');
  if (items !== undefined) {
    for (const [index, item] of value.entries()) findMismatches(items, item, [...path, index], tell);
  }
  if (uniqueItems === true && new Set(value.map((item) => JSON.stringify(item))).size < value.length)
    say('uniqueItems');
}

function judgeObject(schema: Structure, value: JsonObject, path: Path, say: Say, tell: Tell): void {
  const { maxProperties, minProperties, required = [], additionalProperties, properties = {} } = schema;
  const fields = Object.keys(value);
  if (maxProperties !== undefined && fields.length > maxProperties) say('maxProperties');
  if (minProperties !== undefined && fields.length < minProperties) say('minProperties');
  for (const field of required) if (!Object.hasOwn(value, field)) say('required', field);
  for (const field of fields) {
    if (additionalProperties === undefined || Object.hasOwn(properties, field)) continue;
    if (additionalProperties === false) say('additionalProperties', field);
    else judgeField(additionalProperties, value, field, path, tell);
  }
  for (const [field, inner] of Object.entries(properties)) judgeField(inner, value, field, path, tell);
}

function judgeField(schema: Structure, value: JsonObject, field: string, path: Path, tell: Tell): void {
  const inner = Object.hasOwn(value, field) ? value[field] : undefined;
  if (inner !== undefined) findMismatches(schema, inner, [...path, field], tell);
}

/** Patterns are those of our schemas, so there are few. */
const patterns = new Map<string, RegExp>();

function compiledPattern(pattern: string): RegExp {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  const compiled = new RegExp(pattern, 'u');
  patterns.set(pattern, compiled);
  return compiled;
}
