import type { JsonValue } from '../core/json.ts';
import { closest } from '../std/closest.ts';
import { formatFieldPath, quote, type FieldPath, type ProblemList } from './problem-list.ts';
import { rightForm } from './right-form.ts';
import { findMismatches, type Mismatch } from './schema/find-mismatches.ts';
import { duration, type Schema } from './schema/json-schema.ts';
import { structureOf, type Structure } from './schema/structure.ts';

/** As many as a document has Problems: what is told of one costs a hundred times what it takes to find it. */
const maxReported = 50;

/**
 * Holds values against a schema: unknown and missing fields, types, sizes, and what this version does not build. Answers the value in its
 * shape, which is the schema's; undefined where there is an error. `root` is where the value stands.
 */
export function createStructureCheck<Shape extends object>(
  schema: Schema,
): (spec: JsonValue | undefined, problems: ProblemList, root?: FieldPath) => Shape | undefined {
  let structure: Structure | undefined;
  return (spec, problems, root = ['spec']) => {
    if (spec === undefined) {
      problems.error('missing-field', [], `${formatFieldPath(root)} is missing`);
      return undefined;
    }
    let found = 0;
    const isShape = (value: JsonValue): value is JsonValue & Shape => {
      findMismatches((structure ??= structureOf(schema)), value, root, (mismatch) => {
        if (++found <= maxReported) report(mismatch, { spec, root, problems });
      });
      return found === 0;
    };
    return isShape(spec) ? spec : undefined;
  };
}

interface Held {
  readonly spec: JsonValue;
  readonly root: FieldPath;
  readonly problems: ProblemList;
}

function report({ keyword, path, value, schema, field = '' }: Mismatch, { spec, root, problems }: Held): void {
  const name = lastName(path) || 'the document';
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
      problems.error(
        'invalid-value',
        path,
        typeMessage(name, schema, rightForm(schema, path.slice(root.length), spec)),
      );
      return;
    case 'maximum':
    case 'minimum':
      problems.error('invalid-value', path, rangeMessage(name, value, schema));
      return;
    case 'pattern':
      problems.error('invalid-value', path, patternMessage(name, value, schema));
      return;
    case 'maxProperties':
    case 'uniqueItems':
      problems.error('invalid-value', path, `${name}: ${quote(value)} is not of the form that it takes`);
  }
}

function typeMessage(name: string, { type }: Structure, form: string | undefined): string {
  return `${name} must be ${article(type ?? '')}${form === undefined ? '' : `: write ${form}`}`;
}

function rangeMessage(name: string, value: JsonValue, { minimum, maximum }: Structure): string {
  return `${name} must be from ${String(minimum)} to ${String(maximum)}, not ${quote(value)}`;
}

function patternMessage(name: string, value: JsonValue, { pattern }: Structure): string {
  const form = pattern === durationPattern ? ': write a duration such as 90s, 15m or 24h' : '';
  return `${name}: ${quote(value)} is not of the form that it takes${form}`;
}

const durationPattern = duration('').pattern;

function enumMessage(
  name: string,
  value: JsonValue,
  { enum: all = [], unsupportedValues: later = [] }: Structure,
): string {
  const values = all.filter((one) => !later.includes(one));
  // The nearest name is that of an algorithm with keys of another kind.
  if (typeof value === 'string' && /^HS\d/.test(value) && values.includes('RS256'))
    return `${name} must be one of ${values.join(', ')}: tokens with an HMAC (${quote(value)}) are of a provider of type SharedSecretJWT`;
  const guess =
    typeof value === 'string' ? (closest(value, values) ?? values.find((one) => isPartOf(value, one))) : undefined;
  return guess === undefined
    ? `${name} must be one of ${values.join(', ')}, not ${quote(value)}`
    : `${name} must be one of ${values.join(', ')}: did you mean ${guess}, not ${quote(value)}?`;
}

/** `prefix` of `PathPrefix`. */
function isPartOf(written: string, value: string): boolean {
  return written.length > 2 && value.toLowerCase().includes(written.toLowerCase());
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
