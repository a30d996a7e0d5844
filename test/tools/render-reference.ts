import { accessPolicySpec, clusterAccessPolicySpec } from '../../src/policy/schema/access-policy.ts';
import { identityProviderSpec } from '../../src/policy/schema/identity-provider.ts';
import type { Schema } from '../../src/policy/schema/json-schema.ts';
import { policyTest } from '../../src/policy/schema/policy-test.ts';
import { listSections, type Field, type Section } from './reference-sections.ts';

interface Kind {
  readonly page: string;
  readonly title: string;
  readonly intro: string;
  /** The path of the schema in the document; empty: it is the document. */
  readonly root: 'spec' | '';
  readonly schema: Schema;
}

const kinds: readonly Kind[] = [
  {
    page: 'access-policy',
    title: 'AccessPolicy',
    intro:
      'Who may do what on the hosts of a namespace. [policies.md](../policies.md) explains it from the beginning, [semantics.md](../semantics.md) rule by rule.',
    root: 'spec',
    schema: accessPolicySpec,
  },
  {
    page: 'cluster-access-policy',
    title: 'ClusterAccessPolicy',
    intro: "The platform's floor: what holds for every request that it covers, whoever else allows it.",
    root: 'spec',
    schema: clusterAccessPolicySpec,
  },
  {
    page: 'identity-provider',
    title: 'IdentityProvider and ClusterIdentityProvider',
    intro:
      'Who says who somebody is. An IdentityProvider serves the AccessPolicies of its own namespace, a ClusterIdentityProvider those of all; what the latter refers to is in the namespace of the service.',
    root: 'spec',
    schema: identityProviderSpec,
  },
  {
    page: 'policy-test',
    title: 'PolicyTest',
    intro:
      'Decision cases as data: policies, requests and what must come out. The [examples](../../examples/README.md) have theirs in `test.yaml`; [testing.md](../testing.md) is the guide, and `portcullis test` runs them.',
    root: '',
    schema: policyTest,
  },
];

/** A page for each kind: every field with its form, its default and its meaning, by its path in the repository. */
export function renderReference(notice: string): ReadonlyMap<string, string> {
  return new Map(kinds.map((kind) => [`docs/reference/${kind.page}.md`, renderPage(kind, notice)]));
}

function renderPage({ title, intro, root, schema }: Kind, notice: string): string {
  const sections = listSections(root, schema);
  const built = sections.filter(({ isLater }) => !isLater).map(renderSection);
  const later = sections.filter(({ isLater }) => isLater).map(renderSection);
  return `# ${title}

${notice}

${intro}

${root === 'spec' ? documentHint : testHint}

${[...built, ...(later.length === 0 ? [] : [laterIntro]), ...later].join('\n\n')}
`;
}

const documentHint = `A field that is not listed here is refused by its name, wherever it stands. Fields in **bold** are required. A default is written into the object by the API server; what stands
there in *italics* is what absence means.`;

const testHint = `Fields in **bold** are required. What stands in *italics* is what absence means.`;

const laterIntro = `## Not in this version

The contract has these parts and this version does not build them: a document that has one is refused, by the name of the field.`;

function renderSection({ path, schema, fields, isLater }: Section): string {
  const rows = fields.map((field) => `| ${cellsOf(field).join(' | ')} |`);
  const asks = (schema.validations ?? []).map(({ message }) => `- ${message}`);
  const parts = [
    `${isLater ? '###' : '##'} ${path === '' ? 'The document' : path}`,
    plain(schema.description),
    rows.length === 0
      ? 'Its fields come with the version that builds it.'
      : `| field | form | default | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}`,
    ...(asks.length === 0 ? [] : [asks.map(plain).join('\n')]),
  ];
  return parts.join('\n\n');
}

function cellsOf({ path, schema, isRequired, isLater, section }: Field): readonly string[] {
  const name = isRequired ? `**\`${path}\`**` : `\`${path}\``;
  const more = section === undefined ? '' : ` See [${section}](#${anchorOf(section)}).`;
  const later = isLater ? ' *Not in this version.*' : '';
  return [name, formOf(schema), defaultOf(schema), `${plain(schema.description)}${more}${later}`];
}

function defaultOf({ default: fallback, absent }: Schema): string {
  if (typeof fallback === 'string') return `\`${fallback}\``;
  return absent === undefined ? '' : `*${plain(absent)}*`;
}

function formOf(schema: Schema): string {
  const { type, enum: values, items, minimum, maximum, maxItems, unsupportedValues = [] } = schema;
  if (values !== undefined) {
    const known = values.map((value) => (unsupportedValues.includes(value) ? `${value} (later)` : value));
    return known.join(', ');
  }
  switch (type) {
    case 'array': {
      const most = maxItems === undefined ? '' : `, at most ${maxItems}`;
      const twice = schema.isSet || schema.uniqueItems ? ', none twice' : '';
      const unique = schema.uniqueBy === undefined ? '' : `, each with its own ${schema.uniqueBy}`;
      const each = items === undefined || items.properties !== undefined ? '' : `; each: ${formOf(items)}`;
      return `list${each === '' ? ' of objects' : ''}${most}${twice}${unique}${each}`;
    }
    case 'integer':
      return `whole number${minimum === undefined || maximum === undefined ? '' : `, ${minimum} to ${maximum}`}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return `text${schema.maxLength === undefined ? '' : `, at most ${schema.maxLength} characters`}`;
    case 'object':
      if (schema.anyFields) return 'any JSON';
      return schema.additionalProperties === undefined ? 'object' : `map${atMost(schema.maxProperties)}`;
  }
}

function atMost(limit: number | undefined): string {
  return limit === undefined ? '' : `, at most ${limit}`;
}

/** Text that Markdown shows as it is. */
function plain(text: string): string {
  return text.replaceAll(/[|*_<]/g, (mark) => `\\${mark}`);
}

/** As the readers of Markdown make it of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}
