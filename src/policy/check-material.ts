import { isJsonObject, type JsonObject } from '../core/json.ts';
import { closest } from '../std/closest.ts';
import { clientAnnotations, ownAnnotations } from './client-annotations.ts';
import { metadataFields } from './metadata-fields.ts';
import { quote, type FieldPath, type ProblemList } from './problem-list.ts';

const ownFields = ['apiVersion', 'kind', 'metadata', 'data', 'immutable'];
const fieldsOf = { Secret: [...ownFields, 'stringData', 'type'], ConfigMap: [...ownFields, 'binaryData'] } as const;
const mapFields = ['labels', 'annotations'] as const;

/**
 * Holds a Secret or ConfigMap of a folder against what an API server that reads strictly would take: a field that is passed over might
 * have been the end of a key. Values of `data` are judged where they are read.
 */
export function checkMaterial(kind: 'Secret' | 'ConfigMap', document: JsonObject, problems: ProblemList): void {
  const { metadata } = document;
  for (const field of Object.keys(document)) {
    if (fieldsOf[kind].includes(field)) continue;
    const isOfMetadata = closest(field, mapFields) !== undefined;
    const guess = closest(field, fieldsOf[kind]);
    const remedy = isOfMetadata
      ? '; it belongs under metadata: indent it, with all that is below it'
      : guess === undefined
        ? ''
        : `; did you mean ${guess}?`;
    problems.error('unknown-field', [field], `a ${kind} has no field ${quote(field)}${remedy}`);
  }
  if (!isJsonObject(metadata)) return;
  for (const field of Object.keys(metadata)) {
    if (metadataFields.includes(field)) continue;
    const guess = closest(field, metadataFields);
    const remedy = guess === undefined ? '' : `; did you mean ${guess}?`;
    problems.error('unknown-field', ['metadata', field], `metadata has no field ${quote(field)}${remedy}`);
  }
  for (const field of mapFields) checkMap(['metadata', field], metadata[field], problems);
}

function checkMap(path: FieldPath, map: unknown, problems: ProblemList): void {
  if (map === undefined || map === null) return;
  const [, field] = path;
  if (!isMap(map)) {
    problems.error('invalid-value', path, `${field} must be a map of names and texts, without a - before each`);
    return;
  }
  for (const [name, value] of Object.entries(map)) {
    if (typeof value === 'string') continue;
    problems.error('invalid-value', [...path, name], `${name} must be a text: ${howToWrite(name, value)}`);
  }
}

function howToWrite(name: string, value: unknown): string {
  if (name === `${ownAnnotations}expires`) return 'a time such as "2027-01-31T00:00:00Z"';
  if (value === null) return 'leave it out, or write "" for the empty text';
  return typeof value === 'object'
    ? 'write one text in quotes, with spaces between its parts'
    : `write "${JSON.stringify(value)}"`;
}

/** How to write a value of a Secret or ConfigMap that is no text. Holds nothing of it. */
export function howToWriteData(value: unknown): string {
  if (value === null) return 'leave it out, or write "" for the empty text';
  return typeof value === 'object' ? 'write one text, in quotes or behind |' : 'put it in quotes';
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Names of ours that stand where nobody reads them, in a cluster too: an end that is a label ends nothing. The same for a name that is
 * nearly one of ours.
 */
export function checkOwnNames(document: JsonObject, problems: ProblemList): void {
  const metadata = isJsonObject(document['metadata']) ? document['metadata'] : {};
  const { labels, annotations } = metadata;
  for (const name of isJsonObject(labels) ? Object.keys(labels) : []) {
    if (!clientAnnotations.some((own) => name === `${ownAnnotations}${own}`)) continue;
    problems.error(
      'invalid-value',
      ['metadata', 'labels', name],
      `${name} is an annotation: write it under annotations`,
    );
  }
  for (const name of isJsonObject(annotations) ? Object.keys(annotations) : []) {
    const meant = meantAnnotation(name);
    if (meant !== undefined)
      problems.error('unknown-field', ['metadata', 'annotations', name], `${quote(name)}: did you mean ${meant}?`);
  }
}

/** Whether an annotation of a Secret is one that is read; misspelt ones too: one of them may have been meant to end a key. */
export function isReadAnnotation(name: string): boolean {
  return name.startsWith(ownAnnotations) || meantAnnotation(name) !== undefined;
}

/** What a name was meant to be that has another prefix than ours, or none. */
export function meantAnnotation(name: string): string | undefined {
  const [prefix = '', rest] = name.split('/');
  if (name.startsWith(ownAnnotations)) return undefined;
  const known = clientAnnotations.find((own) => own === (rest ?? prefix));
  const isNearly = rest === undefined || closest(`${prefix}/`, [ownAnnotations]) !== undefined;
  return known === undefined || !isNearly ? undefined : `${ownAnnotations}${known}`;
}
