import type { Query } from '../core/request.ts';

const none: readonly string[] = Object.freeze([]);

/** Reads the query on first use. A percent sign without two digits stands for itself: only what a policy names is ever looked at. */
export function readQuery(raw: string): Query {
  let parameters: ReadonlyMap<string, ParameterValues> | undefined;
  const read = () => (parameters ??= parse(raw));
  return {
    getAll: (name) => (raw === '' ? none : (read().get(name)?.values ?? none)),
    hasEncodedSpelling: (name) => raw !== '' && (read().get(name)?.oddSpelling ?? false),
    names: () => read().keys(),
  };
}

interface ParameterValues {
  readonly values: string[];
  /** The name was spelled with escapes or `+`, or stood behind a `;`, which some frameworks take for a separator. */
  oddSpelling: boolean;
}

function parse(raw: string): ReadonlyMap<string, ParameterValues> {
  const parameters = new Map<string, ParameterValues>();
  for (const pair of raw.split('&')) {
    const [first = '', ...behindSemicolons] = pair.split(';');
    // A framework that splits at `;` reads another value than one that does not.
    add(parameters, behindSemicolons.length === 0 ? first : pair, behindSemicolons.length > 0);
    for (const part of behindSemicolons) add(parameters, part, true);
  }
  return parameters;
}

function add(parameters: Map<string, ParameterValues>, pair: string, odd: boolean): void {
  if (pair === '') return;
  const equals = pair.indexOf('=');
  const rawName = equals < 0 ? pair : pair.slice(0, equals);
  const name = decode(rawName);
  const oddSpelling = odd || name !== rawName;
  const known = parameters.get(name);
  const value = decode(equals < 0 ? '' : pair.slice(equals + 1));
  if (known === undefined) parameters.set(name, { values: [value], oddSpelling });
  else {
    known.values.push(value);
    known.oddSpelling ||= oddSpelling;
  }
}

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced.replace(/%[0-7][0-9A-Fa-f]/g, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16)));
  }
}
