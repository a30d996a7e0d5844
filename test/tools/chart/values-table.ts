import { parse } from 'yaml';
import { isJsonObject, ownMember, type JsonValue } from '../../../src/core/json.ts';

/** One value of the chart, as values.yaml documents it. */
export interface DocumentedValue {
  /** `tls.clientCertificates.required` */
  readonly path: string;
  readonly description: string;
  readonly default: JsonValue;
}

export interface DocumentedValues {
  readonly values: readonly DocumentedValue[];
  /** Paths of values without a word about them. */
  readonly undocumented: readonly string[];
}

const keyLine = /^( *)([A-Za-z][A-Za-z0-9]*):(.*)$/u;
const descriptionLine = /^ *# -- (.+)$/u;

/**
 * The values of a values.yaml in its order. A comment of `# --` in one line before a key documents it with all that is below it;
 * a key without one must have documented keys below it. What is below a documented key may have a line of its own as well.
 */
export function readValues(text: string): DocumentedValues {
  const root: JsonValue = parse(text);
  const values: DocumentedValue[] = [];
  const undocumented: string[] = [];
  let path: readonly string[] = [];
  let description: string | undefined;
  let documentedBelow = Number.POSITIVE_INFINITY;
  for (const line of text.split('\n')) {
    const described = descriptionLine.exec(line)?.[1];
    const [, indent = '', key, rest = ''] = keyLine.exec(line) ?? [];
    if (described !== undefined) description = described;
    if (key === undefined) continue;
    const depth = indent.length / 2;
    if (depth <= documentedBelow) documentedBelow = Number.POSITIVE_INFINITY;
    path = [...path.slice(0, depth), key];
    const name = path.join('.');
    if (description !== undefined) {
      values.push({ path: name, description, default: valueAt(root, path) });
      documentedBelow = Math.min(documentedBelow, depth);
    } else if (rest.trim() !== '' && depth < documentedBelow) undocumented.push(name);
    description = undefined;
  }
  return { values, undocumented };
}

function valueAt(root: JsonValue, path: readonly string[]): JsonValue {
  let value: JsonValue | undefined = root;
  for (const key of path) value = isJsonObject(value) ? ownMember(value, key) : undefined;
  return value ?? null;
}

/** A table in Markdown. */
export function renderValues(values: readonly DocumentedValue[]): string {
  const rows = values.map(({ path, description, default: value }) =>
    [`\`${path}\``, `\`${JSON.stringify(value)}\``, description].map((cell) => cell.replaceAll('|', '\\|')).join(' | '),
  );
  return ['| value | default | meaning |', '| --- | --- | --- |', ...rows.map((row) => `| ${row} |`)].join('\n');
}
