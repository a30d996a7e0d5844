import { isJsonObject, ownMember, type JsonValue } from '../core/json.ts';
import type { FieldPath } from './problem-list.ts';
import { duration } from './schema/json-schema.ts';
import type { Structure } from './schema/structure.ts';

const durationPattern = duration('').pattern;

/** How an object is written of which only the part that matters was given: by the name of its field, or of the list that it is in. */
const objectForms: Readonly<Record<string, (given: string) => string>> = {
  path: (text) => `{type: PathPrefix, value: ${text}}`,
  matches: (text) => `{path: {type: PathPrefix, value: ${text}}}`,
  providers: (text) => `{name: ${text}}`,
  when: (text) => `{expression: ${text}}`,
  claims: (text) => `{claim: ${text}, exists: true}`,
  scopes: (text) => `{anyOf: [${text}]}`,
  roles: (text) => `{anyOf: [${text}]}`,
  acr: (text) => `{anyOf: [${text}]}`,
  amr: (text) => `{anyOf: [${text}]}`,
};

/**
 * What the author should have written at the path below `spec` in place of a value of the wrong type, made of that value;
 * undefined where it cannot be guessed.
 */
export function rightForm(wanted: Structure, path: FieldPath, spec: JsonValue): string | undefined {
  const written = valueAt(spec, path);
  if (written === undefined) return undefined;
  const name = path.findLast((part) => typeof part === 'string') ?? '';
  const isElement = typeof path.at(-1) === 'number';
  const value = formOf(written, wanted, name);
  if (value === undefined) return undefined;
  if (isElement) return value;
  const misplaced = name === 'when' && path[0] === 'rules' && path.length === 3 && accessOf(spec, path) !== 'Denied';
  return misplaced ? conditionForm(value) : `${name}: ${value}`;
}

/** Where and how a rule that allows has its conditions. */
export function conditionForm(list = `[{expression: '…'}]`): string {
  return `access: Restricted and authorization: {when: ${list}}`;
}

function formOf(written: JsonValue, wanted: Structure, name: string): string | undefined {
  if (wanted.type === 'array') return listForm(written, wanted.items, name);
  if (wanted.type === 'string') return textForm(written, wanted);
  const given = wanted.type === 'object' && Object.hasOwn(objectForms, name) ? texts(written) : undefined;
  return given === undefined ? undefined : objectForms[name]?.(given);
}

function listForm(written: JsonValue, items: Structure | undefined, name: string): string | undefined {
  if (items === undefined || Array.isArray(written)) return undefined;
  if (isJsonObject(written)) return items.type === 'object' ? '[{…}], each element behind a "- "' : undefined;
  if (items.type === 'string') return typeof written === 'string' ? `[${shown(written)}]` : undefined;
  const element = formOf(written, items, name);
  return element === undefined ? undefined : `[${element}]`;
}

function textForm(written: JsonValue, wanted: Structure): string | undefined {
  if (typeof written === 'number') {
    if (wanted.pattern === durationPattern) return `${written}s`;
    return JSON.stringify(String(written));
  }
  if (typeof written === 'boolean') return JSON.stringify(String(written));
  const named = isJsonObject(written) ? written['name'] : undefined;
  return typeof named === 'string' ? shown(named) : undefined;
}

/** One text or several, as elements of a list. */
function texts(written: JsonValue): string | undefined {
  const all = Array.isArray(written) ? written : [written];
  return all.length > 0 && all.every((one) => typeof one === 'string') ? all.map(shown).join(', ') : undefined;
}

/** The text as YAML; dots for one that is long. */
function shown(text: string): string {
  if (text.length > 80 || /\p{Cc}/u.test(text)) return "'…'";
  return /^[A-Za-z0-9/_.][-A-Za-z0-9/_.:]*(?<!:)$/.test(text) ? text : `'${text.replaceAll("'", "''")}'`;
}

function accessOf(spec: JsonValue, path: FieldPath): JsonValue | undefined {
  return valueAt(spec, [...path.slice(0, 2), 'access']);
}

function valueAt(value: JsonValue, path: FieldPath): JsonValue | undefined {
  let current: JsonValue | undefined = value;
  for (const part of path) {
    if (typeof part === 'number') current = Array.isArray(current) ? current[part] : undefined;
    else current = isJsonObject(current) ? ownMember(current, part) : undefined;
  }
  return current;
}
