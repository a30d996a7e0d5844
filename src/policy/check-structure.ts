import type { JsonValue } from '../core/json.ts';
import { closest } from '../std/closest.ts';
import { formatFieldPath, quote, type FieldPath, type ProblemList } from './problem-list.ts';
import { findMismatches, type Mismatch } from './schema/find-mismatches.ts';
import type { Schema } from './schema/json-schema.ts';
import { structureOf, type Structure } from './schema/structure.ts';

/**
 * Holds values against a schema: unknown and missing fields, types, sizes, and what this version does not build. Answers the value in its
 * shape, which is the schema's; undefined where there is an error.
 */
export function createStructureCheck<Shape extends object>(
  schema: Schema,
): (spec: JsonValue | undefined, problems: ProblemList) => Shape | undefined {
  let structure: Structure | undefined;
  return (spec, problems) => {
    if (spec === undefined) {
      problems.error('missing-field', [], 'spec is missing');
      return undefined;
    }
    let found = 0;
    const isShape = (value: JsonValue): value is JsonValue & Shape => {
      findMismatches((structure ??= structureOf(schema)), value, ['spec'], (mismatch) => {
        found++;
        report(mismatch, problems);
      });
      return found === 0;
    };
    return isShape(spec) ? spec : undefined;
  };
}

function report({ keyword, path, value, schema, field = '' }: Mismatch, problems: ProblemList): void {
  const name = lastName(path);
  switch (keyword) {
    case 'additionalProperties': {
      const known = Object.keys(schema.properties ?? {});
      const guess = closest(field, known);
      const remedy = guess === undefined ? `it takes ${known.join(', ')}` : `did you mean ${guess}?`;
      problems.error('unknown-field', [...path, field], `${name} has no field ${quote(field)}; ${remedy}`);
      return;
    }
    case 'required':
      problems.error('missing-field', path, `${name} needs the field ${field}`);
      return;
    case 'unsupported':
      problems.error('unsupported', path, `${name} is not supported by this version`);
      return;
    case 'unsupportedValues':
      problems.error('unsupported', path, `${name}: ${quote(value)} is not supported by this version`);
      return;
    case 'enum':
      problems.error('invalid-value', path, enumMessage(name, value, schema));
      return;
    case 'maxItems':
      problems.error('too-large', path, `${name} has more than ${schema.maxItems ?? 0} elements`);
      return;
    case 'maxLength':
      problems.error('too-large', path, `${name} has more than ${schema.maxLength ?? 0} characters`);
      return;
    case 'minItems':
    case 'minLength':
    case 'minProperties':
      problems.error('invalid-value', path, `${name} is empty: say what it asks for, or leave it out`);
      return;
    case 'type':
      problems.error('invalid-value', path, `${name} must be ${article(schema.type ?? '')}`);
      return;
    case 'maxProperties':
    case 'maximum':
    case 'minimum':
    case 'pattern':
    case 'uniqueItems':
      problems.error('invalid-value', path, `${name}: ${quote(value)} is not of the form that it takes`);
  }
}

function enumMessage(
  name: string,
  value: JsonValue,
  { enum: all = [], unsupportedValues: later = [] }: Structure,
): string {
  const values = all.filter((one) => !later.includes(one));
  const guess = typeof value === 'string' ? closest(value, values) : undefined;
  return guess === undefined
    ? `${name} must be one of ${values.join(', ')}, not ${quote(value)}`
    : `${name} must be one of ${values.join(', ')}: did you mean ${guess}, not ${quote(value)}?`;
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

/** How a message names the value: its field, or the element of its list. */
function lastName(path: FieldPath): string {
  const from = path.findLastIndex((part) => typeof part === 'string');
  return formatFieldPath(path.slice(from));
}
