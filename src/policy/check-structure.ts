import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { JsonValue } from '../core/json.ts';
import { isJsonObject } from '../core/json.ts';
import { closest } from '../std/closest.ts';
import { formatFieldPath, quote, type FieldPath, type ProblemList } from './problem-list.ts';
import type { Schema } from './schema/json-schema.ts';
import { structureOf } from './schema/structure.ts';

const ajv = new Ajv({ allErrors: true, strict: true, verbose: true, unicodeRegExp: true });
ajv.addKeyword({ keyword: 'unsupported', schemaType: 'boolean', validate: () => false, errors: false });
ajv.addKeyword({
  keyword: 'unsupportedValues',
  schemaType: 'array',
  validate: (values: readonly string[], value: unknown) => typeof value !== 'string' || !values.includes(value),
  errors: false,
});

/**
 * Holds values against a schema: unknown and missing fields, types, sizes, and what this version does not build. Answers the value in its
 * shape, which is the schema's; undefined where there is an error. The schema is compiled on first use.
 */
export function createStructureCheck<Shape>(
  schema: Schema,
): (spec: JsonValue | undefined, problems: ProblemList) => Shape | undefined {
  let compiled: ValidateFunction<Shape> | undefined;
  return (spec, problems) => {
    if (spec === undefined) {
      problems.error('missing-field', [], 'spec is missing');
      return undefined;
    }
    const isShape = (compiled ??= ajv.compile<Shape>(structureOf(schema)));
    if (isShape(spec)) return spec;
    for (const error of isShape.errors ?? []) report(error, spec, problems);
    return undefined;
  };
}

function report(error: ErrorObject, spec: JsonValue, problems: ProblemList): void {
  const path: FieldPath = ['spec', ...pointerToPath(error.instancePath, spec)];
  const name = lastName(path);
  const params: Readonly<Record<string, unknown>> = error.params;
  switch (error.keyword) {
    case 'additionalProperties': {
      const field = String(params['additionalProperty']);
      const known = isJsonObject(error.parentSchema?.['properties'])
        ? Object.keys(error.parentSchema['properties'])
        : [];
      const guess = closest(field, known);
      const remedy = guess === undefined ? `it takes ${known.join(', ')}` : `did you mean ${guess}?`;
      problems.error('unknown-field', [...path, field], `${name} has no field ${quote(field)}; ${remedy}`);
      return;
    }
    case 'required':
      problems.error('missing-field', path, `${name} needs the field ${String(params['missingProperty'])}`);
      return;
    case 'unsupported':
      problems.error('unsupported', path, `${name} is not supported by this version`);
      return;
    case 'unsupportedValues':
      problems.error('unsupported', path, `${name}: ${quote(error.data)} is not supported by this version`);
      return;
    case 'enum':
      problems.error('invalid-value', path, enumMessage(name, error, params['allowedValues']));
      return;
    case 'maxItems':
    case 'maxLength':
      problems.error(
        'too-large',
        path,
        `${name} has more than ${String(params['limit'])} ${error.keyword === 'maxItems' ? 'elements' : 'characters'}`,
      );
      return;
    case 'minItems':
    case 'minLength':
    case 'minProperties':
      problems.error('invalid-value', path, `${name} is empty: say what it asks for, or leave it out`);
      return;
    case 'type':
      problems.error('invalid-value', path, `${name} must be ${article(String(params['type']))}`);
      return;
    default:
      problems.error('invalid-value', path, `${name}: ${quote(error.data)} is not of the form that it takes`);
  }
}

function enumMessage(name: string, error: ErrorObject, allowed: unknown): string {
  const later: unknown = error.parentSchema?.['unsupportedValues'];
  const all = Array.isArray(allowed) ? allowed.map(String) : [];
  const values = Array.isArray(later) ? all.filter((value) => !later.includes(value)) : all;
  const guess = closest(String(error.data), values);
  return guess === undefined
    ? `${name} must be one of ${values.join(', ')}, not ${quote(error.data)}`
    : `${name} must be one of ${values.join(', ')}: did you mean ${guess}, not ${quote(error.data)}?`;
}

function article(type: string): string {
  if (type === 'object') return 'an object (fields below it)';
  return type === 'array'
    ? 'a list'
    : type === 'integer'
      ? 'a whole number'
      : type === 'boolean'
        ? 'true or false'
        : 'a text';
}

/** A JSON Pointer as the path of member names and indexes it walks in the value. */
function pointerToPath(pointer: string, value: JsonValue): (string | number)[] {
  let current: JsonValue | undefined = value;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      if (Array.isArray(current)) {
        current = current[Number(name)];
        return Number(name);
      }
      current = isJsonObject(current) ? current[name] : undefined;
      return name;
    });
}

/** How a message names the value: its field, or the element of its list. */
function lastName(path: FieldPath): string {
  const from = path.findLastIndex((part) => typeof part === 'string');
  return formatFieldPath(path.slice(from));
}
