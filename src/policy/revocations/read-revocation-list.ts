import type { Revocation } from '../../core/revocation.ts';
import type { Steps } from '../../std/steps.ts';
import { parseStrictJson } from '../../std/strict-json.ts';
import { readRevocation } from './read-revocation.ts';

/** What can be read of a list, and what is wrong with the rest, with its place; it quotes nothing. */
export interface ReadRevocationList {
  readonly entries: readonly Revocation[];
  readonly problems: readonly string[];
}

/**
 * Reads a list as files and ConfigMaps hold it: a revocation a line as JSON (RFC 8259, no member twice), lines that begin with `#` and empty
 * lines aside; or one JSON array of them. A line ends with LF, CRLF or CR.
 */
export function* readRevocationList(text: string): Steps<ReadRevocationList> {
  return text.trimStart().startsWith('[') ? yield* readArray(text) : yield* readLines(text);
}

function* readArray(text: string): Steps<ReadRevocationList> {
  const elements = yield* splitArray(text);
  const values: { readonly place: string; readonly value: unknown }[] = [];
  for (const [index, element] of (elements ?? ['']).entries()) {
    const json = parseStrictJson(element);
    if (json.kind === 'invalid') return { entries: [], problems: [`it is no array of JSON (${json.reason})`] };
    values.push({ place: `element ${index + 1}`, value: json.value });
    yield;
  }
  return yield* gather(values);
}

/** How many characters are looked at in one step. */
const stepLength = 32_768;

/** What stands between the commas of an array, not looked at; undefined where it does not end as one. A long text is not parsed at once. */
function* splitArray(text: string): Steps<readonly string[] | undefined> {
  const beginning = /^[ \t\r\n]*\[/.exec(text)?.[0];
  if (beginning === undefined) return undefined;
  const elements: string[] = [];
  let depth = 0;
  let isInText = false;
  let from = beginning.length;
  for (let i = from; i < text.length; i++) {
    if (i % stepLength === 0) yield;
    const char = text[i];
    if (isInText) {
      if (char === '\\') i++;
      else if (char === '"') isInText = false;
    } else if (char === '"') isInText = true;
    else if (char === '{' || char === '[') depth++;
    else if (depth > 0 && (char === '}' || char === ']')) depth--;
    else if (depth === 0 && (char === ',' || char === ']')) {
      const element = text.slice(from, i);
      const isEmpty = char === ']' && elements.length === 0 && /^[ \t\r\n]*$/.test(element);
      if (!isEmpty) elements.push(element);
      if (char === ']') return /^[ \t\r\n]*$/.test(text.slice(i + 1)) ? elements : undefined;
      from = i + 1;
    }
  }
  return undefined;
}

function* readLines(text: string): Steps<ReadRevocationList> {
  const invalid: string[] = [];
  const values: { readonly place: string; readonly value: unknown }[] = [];
  let number = 0;
  for (const [line] of text.matchAll(/[^\r\n]+|\r\n|[\r\n]/g)) {
    if (line === '\n' || line === '\r' || line === '\r\n') {
      number++;
      continue;
    }
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    const place = `line ${number + 1}`;
    const json = parseStrictJson(content);
    if (json.kind === 'value') values.push({ place, value: json.value });
    else invalid.push(`${place} is no JSON (${json.reason})`);
    yield;
  }
  const { entries, problems } = yield* gather(values);
  return { entries, problems: [...invalid, ...problems] };
}

function* gather(values: readonly { readonly place: string; readonly value: unknown }[]): Steps<ReadRevocationList> {
  const entries: Revocation[] = [];
  const problems: string[] = [];
  for (const { place, value } of values) {
    const read = readRevocation(value);
    if ('value' in read) entries.push(read.value);
    else problems.push(`${place}: ${read.wrong}`);
    yield;
  }
  return { entries, problems };
}

/** The first few of many, as one clause; undefined where there is none. */
export function sayProblems(problems: readonly string[]): string | undefined {
  if (problems.length === 0) return undefined;
  const said = problems.slice(0, 5).join('; ');
  return problems.length > 5 ? `${said}; and ${problems.length - 5} more` : said;
}
