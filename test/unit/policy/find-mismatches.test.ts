import { Ajv, type ErrorObject } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/core/json.ts';
import { accessPolicySpec, clusterAccessPolicySpec } from '../../../src/policy/schema/access-policy.ts';
import { findMismatches } from '../../../src/policy/schema/find-mismatches.ts';
import { identityProviderSpec } from '../../../src/policy/schema/identity-provider.ts';
import { structureOf, type Structure } from '../../../src/policy/schema/structure.ts';

/** Each as `keyword path field`. */
function found(schema: Structure, value: JsonValue): readonly string[] {
  const lines: string[] = [];
  findMismatches(schema, value, [], ({ keyword, path, field = '' }) =>
    lines.push(`${keyword} ${path.join('/')} ${field}`),
  );
  return lines;
}

const ajv = new Ajv({ allErrors: true, strict: true, unicodeRegExp: true, ownProperties: true });
ajv.addKeyword({ keyword: 'unsupported', schemaType: 'boolean', validate: () => false, errors: false });
ajv.addKeyword({
  keyword: 'unsupportedValues',
  schemaType: 'array',
  validate: (values: readonly string[], value: unknown) => typeof value !== 'string' || !values.includes(value),
  errors: false,
});

function byAjv(schema: Structure): (value: JsonValue) => readonly string[] {
  const validate = ajv.compile(schema);
  const lineOf = ({
    keyword,
    instancePath,
    params,
  }: ErrorObject<string, Readonly<Record<string, unknown>>>): string => {
    const named = params['additionalProperty'] ?? params['missingProperty'];
    const field = typeof named === 'string' ? named : '';
    const path = instancePath.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
    return `${keyword} ${path} ${field}`;
  };
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(lineOf));
}

/** Values that are often what the schema asks for, and often just beside it. */
function valuesNear(schema: Structure): fc.Arbitrary<JsonValue> {
  const strange = fc.constantFrom<JsonValue>(null, true, 0, -1, 1.5, 1e9, '', 'x', '𝄞'.repeat(40), [], {}, ['x', 'x'], {
    x: 1,
  });
  return fc.oneof({ weight: 8, arbitrary: ordinary(schema) }, { weight: 1, arbitrary: strange });
}

function ordinary(schema: Structure): fc.Arbitrary<JsonValue> {
  switch (schema.type) {
    case 'object': {
      const { properties = {}, additionalProperties } = schema;
      const known = Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, valuesNear(inner)]));
      const inner = additionalProperties === undefined || additionalProperties === false ? {} : additionalProperties;
      const others = fc.dictionary(fc.constantFrom('extra', 'constructor', 'a~b'), valuesNear(inner), { maxKeys: 1 });
      const isOpen = additionalProperties !== false && additionalProperties !== undefined;
      const more = isOpen
        ? others
        : fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: others });
      return fc
        .tuple(fc.record(known, { requiredKeys: [...(schema.required ?? [])].slice(0, 9) }), more)
        .map(([own, extra]): JsonValue => Object.fromEntries([...Object.entries(own), ...Object.entries(extra)]));
    }
    case 'array':
      return fc.array(valuesNear(schema.items ?? {}), { maxLength: Math.min((schema.maxItems ?? 2) + 1, 3) });
    case 'integer':
      return fc.integer({ min: (schema.minimum ?? 0) - 1, max: (schema.maximum ?? 10) + 1 });
    case 'boolean':
      return fc.boolean();
    case 'string':
    case undefined:
    default:
      return schema.enum === undefined
        ? fc.constantFrom('orders', 'GET', '10.0.0.0/8', '30s', 'Not A Name', 'x'.repeat((schema.maxLength ?? 8) % 300))
        : fc.constantFrom(...schema.enum, 'Other');
  }
}

describe('what the schemas of the contract refuse', { timeout: 60_000 }, () => {
  test.each([
    ['AccessPolicy', structureOf(accessPolicySpec)],
    ['ClusterAccessPolicy', structureOf(clusterAccessPolicySpec)],
    ['IdentityProvider', structureOf(identityProviderSpec)],
  ])('is for %s what a validator of JSON Schema refuses', (_kind, schema) => {
    const expected = byAjv(schema);
    let refused = 0;
    fc.assert(
      fc.property(valuesNear(schema), (value) => {
        const lines = found(schema, value);
        refused += lines.length > 0 ? 1 : 0;
        const theirs = expected(value);
        // Ajv does not compare elements that are of a wrong type, which it refuses for that.
        const isExtra = (line: string): boolean => line.startsWith('uniqueItems ') && !theirs.includes(line);
        expect(lines.filter((line) => !isExtra(line))).toEqual(theirs);
        expect(lines.length === 0).toBe(theirs.length === 0);
      }),
      { numRuns: 300, seed: 7 },
    );
    expect(refused).toBeGreaterThan(50);
  });
});

const text: Structure = { type: 'string' };
const object = (properties: Readonly<Record<string, Structure>>, more: Structure = {}): Structure => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...more,
});

describe('a keyword', () => {
  test.each<[string, Structure, JsonValue, JsonValue]>([
    ['type', text, 'a', 1],
    ['type', { type: 'integer' }, 1, 1.5],
    ['type', object({}), {}, []],
    ['type', { type: 'array', items: text }, ['a'], { 0: 'a' }],
    ['type', { type: 'boolean' }, true, 'true'],
    ['maximum', { type: 'integer', maximum: 9 }, 9, 10],
    ['minimum', { type: 'integer', minimum: 0 }, 0, -1],
    ['maxLength', { ...text, maxLength: 3 }, '𝄞𝄞𝄞', 'abcd'],
    ['minLength', { ...text, minLength: 1 }, 'a', ''],
    ['pattern', { ...text, pattern: '^a+$' }, 'aa', 'ab'],
    ['enum', { ...text, enum: ['A'] }, 'A', 'a'],
    ['unsupportedValues', { ...text, enum: ['A', 'B'], unsupportedValues: ['B'] }, 'A', 'B'],
    ['unsupported', object({ a: { unsupported: true } }), {}, { a: 1 }],
    ['maxItems', { type: 'array', items: text, maxItems: 1 }, ['a'], ['a', 'b']],
    ['minItems', { type: 'array', items: text, minItems: 1 }, ['a'], []],
    ['uniqueItems', { type: 'array', items: text, uniqueItems: true }, ['a', 'b'], ['a', 'a']],
    ['required', object({ a: text }, { required: ['a'] }), { a: 'a' }, {}],
    ['required', { type: 'object', required: ['constructor'] }, { constructor: 'a' }, {}],
    ['additionalProperties', object({ a: text }), { a: 'a' }, { constructor: 'a' }],
    ['minProperties', object({ a: text }, { minProperties: 1 }), { a: 'a' }, {}],
    ['maxProperties', { type: 'object', maxProperties: 1 }, { a: 1 }, { a: 1, b: 2 }],
  ])('%s of %j takes %j and refuses %j', (keyword, schema, good, bad) => {
    const keywords = found(schema, bad).map((line) => line.split(' ')[0]);
    expect([found(schema, good), keywords]).toEqual([[], [keyword]]);
  });
});
