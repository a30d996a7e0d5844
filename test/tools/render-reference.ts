import { accessPolicySpec, clusterAccessPolicySpec } from '../../src/policy/schema/access-policy.ts';
import { identityProviderSpec } from '../../src/policy/schema/identity-provider.ts';
import type { Schema } from '../../src/policy/schema/json-schema.ts';

interface Kind {
  readonly page: string;
  readonly title: string;
  readonly intro: string;
  readonly spec: Schema;
}

const kinds: readonly Kind[] = [
  {
    page: 'access-policy',
    title: 'AccessPolicy',
    intro:
      'Who may do what on the hosts of a namespace. [policies.md](../policies.md) explains it from the beginning, [semantics.md](../semantics.md) rule by rule.',
    spec: accessPolicySpec,
  },
  {
    page: 'cluster-access-policy',
    title: 'ClusterAccessPolicy',
    intro: "The platform's floor: what holds for every request that it covers, whoever else allows it.",
    spec: clusterAccessPolicySpec,
  },
  {
    page: 'identity-provider',
    title: 'IdentityProvider and ClusterIdentityProvider',
    intro:
      'Who says who somebody is. An IdentityProvider serves the AccessPolicies of its own namespace, a ClusterIdentityProvider those of all; what the latter refers to is in the namespace of the service.',
    spec: identityProviderSpec,
  },
];

/** A page for each kind: every field with its form and meaning, by its path in the repository. */
export function renderReference(notice: string): ReadonlyMap<string, string> {
  return new Map(kinds.map((kind) => [`docs/reference/${kind.page}.md`, renderPage(kind, notice)]));
}

function renderPage({ title, intro, spec }: Kind, notice: string): string {
  const rows = rowsOf('spec', spec, true).map((cells) => `| ${cells.join(' | ')} |`);
  const rules = [...rulesOf('spec', spec)].map(([path, message]) => `- \`${path}\`: ${message}`);
  return `# ${title}

${notice}

${intro}

A field that is not listed here is refused by its name, wherever it stands. *Required* fields are in bold.

| field | form | meaning |
| --- | --- | --- |
${rows.join('\n')}

## What fields ask of each other

${rules.join('\n')}
`;
}

function rowsOf(path: string, schema: Schema, isRequired: boolean): readonly (readonly string[])[] {
  const name = isRequired ? `**\`${path}\`**` : `\`${path}\``;
  return [[name, formOf(schema), meaningOf(schema)], ...rowsBelow(path, schema)];
}

function rowsBelow(
  path: string,
  { type, properties = {}, required = [], items, unsupported }: Schema,
): readonly (readonly string[])[] {
  if (type === 'array' && items !== undefined)
    return items.properties === undefined
      ? []
      : rowsBelow(`${path}[]`, unsupported ? { ...items, unsupported } : items);
  return Object.entries(properties).flatMap(([name, property]) =>
    rowsOf(`${path}.${name}`, unsupported ? { ...property, unsupported } : property, required.includes(name)),
  );
}

function formOf(schema: Schema): string {
  const { type, enum: values, items, minimum, maximum, maxItems, maxLength, unsupportedValues = [] } = schema;
  if (values !== undefined) {
    const known = values.map((value) => (unsupportedValues.includes(value) ? `${value} (later)` : value));
    return known.join(', ');
  }
  switch (type) {
    case 'array':
      return `list of ${items === undefined ? 'values' : formOf(items)}${maxItems === undefined ? '' : `, at most ${maxItems}`}`;
    case 'integer':
      return `whole number${minimum === undefined || maximum === undefined ? '' : `, ${minimum} to ${maximum}`}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return `text${maxLength === undefined ? '' : `, at most ${maxLength} characters`}`;
    case 'object':
      return schema.additionalProperties === undefined ? 'object' : 'map';
  }
}

function meaningOf({ description, absent, default: fallback, unsupported }: Schema): string {
  const parts = [description];
  if (typeof fallback === 'string') parts.push(`Default: ${fallback}.`);
  if (absent !== undefined) parts.push(`Absent: ${absent}.`);
  if (unsupported) parts.push('*Not supported by this version: a document that has it is refused.*');
  return parts.join(' ').replaceAll('|', '\\|').replaceAll('*.', '\\*.');
}

function* rulesOf(path: string, schema: Schema): Generator<readonly [string, string]> {
  for (const { message } of schema.validations ?? []) yield [path, message];
  if (schema.items !== undefined) yield* rulesOf(`${path}[]`, schema.items);
  for (const [name, property] of Object.entries(schema.properties ?? {})) yield* rulesOf(`${path}.${name}`, property);
}
