import { isMap, isPair, isScalar, isSeq, LineCounter, visit, type Document } from 'yaml';
import type { JsonValue } from '../core/json.ts';
import type { Place, Problem } from '../core/problem.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import { composeDocuments } from './compose-documents.ts';
import { yamlMistakes, type Mistake } from './yaml-mistakes.ts';

/**
 * Reads the documents of a YAML 1.2 text (core schema: no dates, no merge keys) in their order; those that hold nothing (between two `---`)
 * are left out. One that is not well-formed, has a member twice, a list or map as a key, or a value that JSON does not have carries
 * Problems, and null for the value that could not be read. Never throws.
 */
export function readYaml(text: string, source: string): readonly AuthorDocument[] {
  const trees = keepTrees(text);
  return trees.now().documents.flatMap((document, index) => {
    const placeAt = (offset: number): Place => placeOfOffset(trees.now().lines, source, offset);
    const { json, mistake } = valueOf(document);
    const problems = yamlMistakes([...document.errors, ...document.warnings], text).map(({ why, offset }) =>
      notYaml(why, placeAt(offset)),
    );
    if (mistake !== undefined && document.errors.length === 0) {
      const place = placeAt(mistake.offset);
      problems.push(notYaml(`${mistake.why}${separatorHint(mistake, text, place)}`, place));
    }
    if (json === null && problems.length === 0) return [];
    return [{ value: json, source, problems, placeOf: (path) => trees.placeOf(source, index, path) }];
  });
}

const keyTwice = 'Map keys must be unique';

interface Trees {
  readonly documents: readonly Document[];
  readonly lines: LineCounter;
}

interface KeptTrees {
  now(): Trees;
  placeOf(source: string, index: number, path: readonly (string | number)[]): Place;
}

/** Trees take fifty times the memory of their text and are asked for a place only where something is wrong: they may go, and are made again. */
function keepTrees(text: string): KeptTrees {
  let kept: WeakRef<Trees> | undefined;
  const now = (): Trees => {
    const known = kept?.deref();
    if (known !== undefined) return known;
    const lines = new LineCounter();
    const made: Trees = { documents: parseTree(text, lines), lines };
    kept = new WeakRef(made);
    return made;
  };
  return {
    now,
    placeOf: (source, index, path) => {
      const { documents, lines } = now();
      const document = documents[index];
      return placeOfOffset(lines, source, document === undefined ? 0 : offsetOf(document, path));
    },
  };
}

/** A second `kind` beside the first is a document whose `---` is missing. */
function separatorHint({ why, offset }: Mistake, text: string, { column }: Place): string {
  if (why !== keyTwice || column !== 1) return '';
  const isTopOfDocument = /^["']?(?:apiVersion|kind|metadata|spec)["']?\s*:/.test(text.slice(offset, offset + 32));
  return isTopOfDocument ? ' (is a --- missing between two documents?)' : '';
}

function placeOfOffset(lines: LineCounter, source: string, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { source, line: Math.max(line, 1), column: Math.max(col, 1) };
}

function notYaml(why: string, place: Place): Problem {
  return { code: 'not-yaml', severity: 'error', message: `not well-formed YAML: ${why}`, field: '', place };
}

/** The parser's trees; a single one with an error where the text is nested beyond the stack. */
function parseTree(text: string, lineCounter: LineCounter): readonly Document[] {
  try {
    return composeDocuments(text, lineCounter);
  } catch {
    return parseTree('"nested too deeply', lineCounter);
  }
}

interface ReadValue {
  /** As much as could be read; null where nothing could. */
  readonly json: JsonValue;
  readonly mistake: Mistake | undefined;
}

function valueOf(document: Document): ReadValue {
  const offset = document.contents?.range?.[0] ?? 0;
  // A 1.1 document has other booleans, dates and merge keys: one text would have two readings.
  if (document.directives?.yaml.version !== '1.2')
    return { json: null, mistake: { why: 'only YAML 1.2 is read', offset } };
  try {
    const mistake = findBadKey(document);
    // The cap is on what aliases expand to: a few lines of them can stand for gigabytes.
    const value: unknown = document.toJS({ maxAliasCount: 100, mapAsMap: false });
    if (isJson(value)) return { json: value, mistake };
    return { json: null, mistake: { why: 'a value is neither text, number, boolean, null, list nor map', offset } };
  } catch (thrown) {
    const why = thrown instanceof RangeError ? 'it is nested too deeply' : 'its aliases expand to too much';
    return { json: null, mistake: { why, offset } };
  }
}

/** A key that is no scalar, or that is the same text as another of its map (`1` and `"1"`), so that one would hide the other. */
function findBadKey(document: Document): Mistake | undefined {
  let found: Mistake | undefined;
  visit(document, {
    Map(_key, map) {
      const names = new Set<string>();
      for (const { key } of map.items) {
        const offset = rangeOf(key) ?? map.range?.[0] ?? 0;
        if (!isScalar(key)) found ??= { why: 'a key is a list, a map or an alias', offset };
        else if (names.has(String(key.value))) found ??= { why: keyTwice, offset };
        else names.add(String(key.value));
      }
      return found === undefined ? undefined : visit.BREAK;
    },
  });
  return found;
}

function isJson(value: unknown): value is JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return (
    typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isJson)
  );
}

/** Where the member or entry at the path begins: at its key, in a map; the nearest parent's place where there is none. */
function offsetOf(document: Document, path: readonly (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const step of path) {
    const next = stepInto(node, step);
    if (next === undefined) break;
    node = next.node;
    offset = next.offset ?? offset;
  }
  return offset;
}

function stepInto(
  node: unknown,
  step: string | number,
): { readonly node: unknown; readonly offset: number | undefined } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(
      (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
    );
    if (pair === undefined) return undefined;
    return { node: pair.value, offset: isScalar(pair.key) ? pair.key.range?.[0] : undefined };
  }
  if (!isSeq(node) || typeof step !== 'number') return undefined;
  const item: unknown = node.items[step];
  if (item === undefined) return undefined;
  return { node: item, offset: rangeOf(item) };
}

function rangeOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) ? node.range?.[0] : undefined;
}
