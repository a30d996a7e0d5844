import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/core/json.ts';

/** A document with one slip in it. */
export interface Mutation {
  /** `misspelt spec.rules[0].access` */
  readonly title: string;
  readonly path: string;
  readonly document: JsonObject;
}

type Slip = readonly [name: string, apply: (parent: JsonObject, field: string) => JsonObject];

const slips: readonly Slip[] = [
  ['misspelt', (parent, field) => rename(parent, field, `${field}x`)],
  ['upper case', (parent, field) => rename(parent, field, `${field.slice(0, 1).toUpperCase()}${field.slice(1)}`)],
  ['null', (parent, field) => ({ ...parent, [field]: null })],
  ['missing', (parent, field) => rename(parent, field, undefined)],
  ['an empty object', (parent, field) => ({ ...parent, [field]: {} })],
  ['an empty list', (parent, field) => ({ ...parent, [field]: [] })],
  ['an empty text', (parent, field) => ({ ...parent, [field]: '' })],
  ['a number', (parent, field) => ({ ...parent, [field]: 7 })],
  ['a boolean', (parent, field) => ({ ...parent, [field]: false })],
  ['a text', (parent, field) => ({ ...parent, [field]: 'something' })],
  ['beside an unknown one', (parent, field) => ({ ...parent, [`${field}Also`]: { anyOf: ['x'] } })],
];

/** Every slip at every field of `spec`. */
export function* mutate(document: JsonObject): Generator<Mutation> {
  const { spec } = document;
  if (!isJsonObject(spec)) return;
  for (const { path, text, parent, field } of fieldsOf(spec, [])) {
    for (const [name, apply] of slips) {
      const changed = replaceAt(spec, path.slice(0, -1), apply(parent, field));
      yield { title: `${name}: spec${text}`, path: text, document: { ...document, spec: changed } };
    }
  }
}

interface Field {
  readonly path: readonly (string | number)[];
  /** With `[]` for every index, so that places can be named whatever the document. */
  readonly text: string;
  readonly parent: JsonObject;
  readonly field: string;
}

function* fieldsOf(value: JsonValue, path: readonly (string | number)[]): Generator<Field> {
  if (Array.isArray(value)) {
    const all: readonly JsonValue[] = value;
    for (const [index, element] of all.entries()) yield* fieldsOf(element, [...path, index]);
  } else if (isJsonObject(value)) {
    for (const [field, member] of Object.entries(value)) {
      const at = [...path, field];
      const text = at.map((part) => (typeof part === 'number' ? '[]' : `.${part}`)).join('');
      yield { path: at, text, parent: value, field };
      yield* fieldsOf(member, at);
    }
  }
}

function replaceAt(value: JsonValue, path: readonly (string | number)[], replacement: JsonObject): JsonValue {
  const [part, ...rest] = path;
  if (part === undefined) return replacement;
  if (Array.isArray(value) && typeof part === 'number')
    return value.map((element: JsonValue, index) => (index === part ? replaceAt(element, rest, replacement) : element));
  if (!isJsonObject(value) || typeof part !== 'string') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === part ? replaceAt(member, rest, replacement) : member,
    ]),
  );
}

function rename(parent: JsonObject, field: string, to: string | undefined): JsonObject {
  return Object.fromEntries(
    Object.entries(parent).flatMap(([name, member]) =>
      name !== field ? [[name, member] as const] : to === undefined ? [] : [[to, member] as const],
    ),
  );
}
