import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { accessPolicySpec, clusterAccessPolicySpec } from '../../../src/policy/schema/access-policy.ts';
import { identityProviderSpec } from '../../../src/policy/schema/identity-provider.ts';
import type { Schema } from '../../../src/policy/schema/json-schema.ts';

const page = readFileSync('docs/policies.md', 'utf8');

/** Every field below the schema that this version builds, by its name alone. */
function builtFields(schema: Schema): readonly string[] {
  if (schema.unsupported) return [];
  const below = schema.items === undefined ? [] : builtFields(schema.items);
  const own = Object.entries(schema.properties ?? {}).filter(([, property]) => property.unsupported !== true);
  return [...below, ...own.flatMap(([name, property]) => [name, ...builtFields(property)])];
}

/** Whether the page has it as code or in one of its documents. */
const isTold = (name: string): boolean => new RegExp(`[\`{ ]${name}(?::|\`|, |})`).test(page);

describe.each([
  ['AccessPolicy', accessPolicySpec],
  ['ClusterAccessPolicy', clusterAccessPolicySpec],
  ['IdentityProvider', identityProviderSpec],
])('docs/policies.md on %s', (_kind, schema) => {
  test('tells every field that this version builds', () => {
    const fields = [...new Set(builtFields(schema))];
    expect(fields.length).toBeGreaterThan(15);
    expect(fields.filter((name) => !isTold(name))).toEqual([]);
  });
});

test('docs/policies.md has the parts that its table links to', () => {
  const anchors = new Set(
    [...page.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
  const links = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor = '']) => anchor);
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((anchor) => !anchors.has(anchor))).toEqual([]);
});
