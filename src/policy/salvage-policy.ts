import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { createProblemList } from './problem-list.ts';
import { readHostPattern } from './read-host.ts';
import { readMatch } from './read-match.ts';
import type { DocumentName } from './read-provider.ts';
import type { MatchSpec } from './spec.ts';

/**
 * What can still be read of a refused policy, so that it can deny what it would have governed and no wider policy decides for it (S4).
 * `rules` holds a rule for each whose matches are readable; where one is not, the policy takes every request of its hosts.
 */
export interface RefusedPolicy extends DocumentName {
  readonly hosts: readonly string[];
  readonly rules: readonly RefusedRule[] | 'every-request';
}

export interface RefusedRule {
  readonly name: string;
  readonly matches: readonly MatchSpec[];
  /** True where it was meant to deny, so that it denies beside any other rule. */
  readonly isDenied: boolean;
}

const everyEscape = ['%2F', '%23', '%25', '%3F'];

/** Reads hosts and matches out of whatever the document is; undefined where not one host can be read. */
export function salvagePolicy(
  { namespace, name }: DocumentName,
  spec: JsonValue | undefined,
): RefusedPolicy | undefined {
  if (!isJsonObject(spec)) return undefined;
  const hosts = readHosts(spec['hosts']);
  return hosts.length === 0 ? undefined : { namespace, name, hosts, rules: readRules(spec) };
}

function readHosts(written: JsonValue | undefined): string[] {
  if (!Array.isArray(written)) return [];
  const patterns = written.flatMap((host) => {
    const read = typeof host === 'string' ? readHostPattern(host) : { why: '' };
    return 'pattern' in read ? [read.pattern] : [];
  });
  return [...new Set(patterns)];
}

const matchFields: ReadonlySet<string> = new Set(['path', 'methods', 'headers', 'queryParams']);
const pathTypes: ReadonlySet<JsonValue | undefined> = new Set(['Exact', 'PathPrefix', 'RegularExpression']);

function readRules(spec: JsonObject): readonly RefusedRule[] | 'every-request' {
  const { rules } = spec;
  // A second, misspelt list of rules would be one whose matches nobody can read.
  if (!Array.isArray(rules) || rules.length === 0) return 'every-request';
  const read: RefusedRule[] = [];
  for (const rule of rules) {
    if (!isJsonObject(rule) || !Array.isArray(rule['matches']) || rule['matches'].length === 0) return 'every-request';
    const matches = rule['matches'].map(readLooseMatch);
    if (matches.includes(undefined)) return 'every-request';
    read.push({
      name: typeof rule['name'] === 'string' ? rule['name'] : '',
      matches: matches.filter((match) => match !== undefined),
      isDenied: rule['access'] === 'Denied',
    });
  }
  return read;
}

/** A match by path and method; conditions on headers and parameters are left out, so that it takes more and never less. */
function readLooseMatch(match: JsonValue): MatchSpec | undefined {
  if (!isJsonObject(match) || Object.keys(match).some((field) => !matchFields.has(field))) return undefined;
  const { path, methods } = match;
  if (methods !== undefined && !isTexts(methods)) return undefined;
  if (path !== undefined && !isPath(path)) return undefined;
  const problems = createProblemList({
    value: null,
    source: '',
    problems: [],
    placeOf: () => ({ source: '', line: undefined, column: undefined }),
  });
  return readMatch(
    { ...(path === undefined ? {} : { path }), ...(methods === undefined ? {} : { methods }) },
    everyEscape,
    [],
    problems,
  );
}

type PathShape = { readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression'; readonly value: string };

function isPath(path: JsonValue): path is PathShape & JsonObject {
  return (
    isJsonObject(path) &&
    pathTypes.has(path['type']) &&
    typeof path['value'] === 'string' &&
    Object.keys(path).length === 2
  );
}

function isTexts(value: JsonValue): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((element) => typeof element === 'string');
}
