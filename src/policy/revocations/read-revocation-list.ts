import type { Revocation } from '../../core/revocation.ts';
import { parseStrictJson } from '../../std/strict-json.ts';
import { readRevocation } from './read-revocation.ts';

/** What can be read of a list, and what is wrong with the rest, with its place; it quotes nothing. */
export interface ReadRevocationList {
  readonly entries: readonly Revocation[];
  readonly problems: readonly string[];
}

/**
 * Reads a list as files and ConfigMaps hold it: a revocation a line as JSON (RFC 8259, no member twice), lines that begin with `#` and empty
 * lines aside; or one JSON array of them.
 */
export function readRevocationList(text: string): ReadRevocationList {
  return text.trimStart().startsWith('[') ? readArray(text) : readLines(text);
}

function readArray(text: string): ReadRevocationList {
  const json = parseStrictJson(text);
  if (json.kind === 'invalid' || !Array.isArray(json.value))
    return { entries: [], problems: [`it is no array of JSON (${json.kind === 'invalid' ? json.reason : 'syntax'})`] };
  return gather(json.value.map((value: unknown, index) => ({ place: `element ${index + 1}`, value })));
}

function readLines(text: string): ReadRevocationList {
  const invalid: string[] = [];
  const values = text.split(/\r?\n/).flatMap((line, index) => {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) return [];
    const place = `line ${index + 1}`;
    const json = parseStrictJson(content);
    if (json.kind === 'value') return [{ place, value: json.value }];
    invalid.push(`${place} is no JSON (${json.reason})`);
    return [];
  });
  const { entries, problems } = gather(values);
  return { entries, problems: [...invalid, ...problems] };
}

function gather(values: readonly { readonly place: string; readonly value: unknown }[]): ReadRevocationList {
  const entries: Revocation[] = [];
  const problems: string[] = [];
  for (const { place, value } of values) {
    const read = readRevocation(value);
    if ('value' in read) entries.push(read.value);
    else problems.push(`${place}: ${read.wrong}`);
  }
  return { entries, problems };
}

/** The first few of many, as one clause; undefined where there is none. */
export function sayProblems(problems: readonly string[]): string | undefined {
  if (problems.length === 0) return undefined;
  const said = problems.slice(0, 5).join('; ');
  return problems.length > 5 ? `${said}; and ${problems.length - 5} more` : said;
}
