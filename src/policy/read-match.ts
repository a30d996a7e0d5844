import { knownMethods } from '../canonical/method.ts';
import { canonicalizePath } from '../canonical/path.ts';
import { isHeaderName, isHeaderValue } from '../std/http-headers.ts';
import type { MatchShape } from './document-shape.ts';
import type { PatternBudget } from '../std/pattern-budget.ts';
import { compilePathPattern } from './path-pattern.ts';
import { quote, type FieldPath, type ProblemList } from './problem-list.ts';
import type { MatchSpec, PathMatch, ValueMatch } from './spec.ts';

/** Reads one match; undefined where it has an error. `allowEncoded`: the policy's `paths.allowEncoded`; `budget`: of the policy's patterns. */
export function readMatch(
  match: MatchShape,
  allowEncoded: readonly string[],
  at: FieldPath,
  problems: ProblemList,
  budget: PatternBudget,
): MatchSpec | undefined {
  const methods = readMethods(match.methods, [...at, 'methods'], problems);
  const path = readPath(match.path, allowEncoded, [...at, 'path', 'value'], problems, budget);
  const headers = readHeaderMatches(match.headers ?? [], [...at, 'headers'], problems);
  const queryParams = readParameterMatches(match.queryParams ?? [], [...at, 'queryParams'], problems);
  return path === undefined || methods === 'refused' ? undefined : { path, methods, headers, queryParams };
}

const hostsInstead = 'proxies send the host apart from the headers; say it with hosts';
/** What is read by itself and never among the headers, with what asks for it. */
const remedies: ReadonlyMap<string, string> = new Map([
  ['host', hostsInstead],
  [':authority', hostsInstead],
  [':method', 'the method is no header here, say methods of the match instead'],
  [':path', 'the path is no header here, say path and queryParams of the match instead'],
  [':scheme', 'the scheme is no header here, and a client may claim any'],
  [':protocol', 'pseudo headers are no headers here'],
]);

function readHeaderMatches(
  written: readonly ValueMatch[],
  at: FieldPath,
  problems: ProblemList,
): readonly ValueMatch[] {
  const matches = written.map(({ name, value }, index) => {
    const remedy = remedies.get(name.toLowerCase());
    if (remedy !== undefined)
      problems.error('match-never', [...at, index, 'name'], `${quote(name)} can never match: ${remedy}`);
    else if (!isHeaderName(name))
      problems.error('invalid-value', [...at, index, 'name'], `${quote(name)} is no header name`);
    if (!isHeaderValue(value)) {
      problems.error(
        'match-never',
        [...at, index, 'value'],
        'no header can have this value: control characters, or white space at an end',
      );
    }
    return { name: name.toLowerCase(), value };
  });
  refuseTwice(matches, at, problems);
  return matches;
}

function readParameterMatches(
  written: readonly ValueMatch[],
  at: FieldPath,
  problems: ProblemList,
): readonly ValueMatch[] {
  refuseTwice(written, at, problems);
  return written;
}

/** A header or parameter that must have two values can have neither. */
function refuseTwice(matches: readonly ValueMatch[], at: FieldPath, problems: ProblemList): void {
  const names = new Set<string>();
  for (const [index, { name }] of matches.entries()) {
    if (names.has(name)) problems.error('duplicate-name', [...at, index, 'name'], `${quote(name)} is matched twice`);
    names.add(name);
  }
}

function readMethods(
  methods: readonly string[] | undefined,
  at: FieldPath,
  problems: ProblemList,
): readonly string[] | undefined | 'refused' {
  const unknown = methods?.findIndex((method) => !knownMethods.has(method)) ?? -1;
  if (methods === undefined || unknown < 0) return methods;
  const written = methods[unknown] ?? '';
  const upper = written.toUpperCase();
  const remedy = knownMethods.has(upper)
    ? `methods are upper case: write ${upper}`
    : 'it is no method that a request can have';
  problems.error('match-never', [...at, unknown], `${quote(written)} can never match: ${remedy}`);
  return 'refused';
}

/** A match without path is PathPrefix `/` (S11). */
function readPath(
  path: MatchShape['path'],
  allowEncoded: readonly string[],
  at: FieldPath,
  problems: ProblemList,
  budget: PatternBudget,
): PathMatch | undefined {
  if (path === undefined) return { type: 'PathPrefix', value: '/' };
  const why =
    path.type === 'RegularExpression'
      ? regexThatNeverMatches(path.value, allowEncoded, budget)
      : pathThatNeverMatches(path.value, allowEncoded);
  if (why !== undefined) {
    problems.error(why.code, at, `${quote(path.value)} ${why.message}`);
    return undefined;
  }
  if (path.type === 'RegularExpression') return { type: path.type, value: path.value };
  const read = canonicalizePath(path.value);
  if (read.kind === 'refusal') return undefined;
  return { type: path.type, value: path.type === 'PathPrefix' ? withoutTrailingSlash(read.path) : read.path };
}

interface Never {
  readonly code: 'match-never' | 'invalid-value' | 'too-large';
  readonly message: string;
}

function pathThatNeverMatches(value: string, allowEncoded: readonly string[]): Never | undefined {
  const read = canonicalizePath(value);
  if (read.kind === 'refusal')
    return { code: 'match-never', message: `can never match: ${read.why}, and such requests are refused` };
  if (read.path !== read.withoutParameters)
    return { code: 'match-never', message: 'can never match: parameters (;) are refused or taken off' };
  const missing = read.encodedReserved.find((escape) => !allowEncoded.includes(escape));
  if (missing !== undefined) {
    return {
      code: 'match-never',
      message: `can never match: add ${quote(missing)} to paths.allowEncoded, or requests with it are refused`,
    };
  }
  return undefined;
}

const tooManyTogether: Never = {
  code: 'too-large',
  message: 'is too much beside the other regular expressions of the policy: fewer of them, or simpler ones',
};

function regexThatNeverMatches(
  value: string,
  allowEncoded: readonly string[],
  budget: PatternBudget,
): Never | undefined {
  if (!/^[\x20-\x7e]*$/.test(value)) {
    return { code: 'match-never', message: 'can never match in whole: paths are ASCII, write other characters as %XX' };
  }
  if (!budget.isLeft) return tooManyTogether;
  const compiled = compilePathPattern(value);
  const isWithin = budget.spend(`path ${value}`, compiled.work);
  if (compiled.kind === 'invalid') {
    return compiled.isTooLarge
      ? { code: 'too-large', message: `is too large a regular expression: ${compiled.why}` }
      : { code: 'invalid-value', message: `is no regular expression of RE2: ${compiled.why}` };
  }
  if (!isWithin) return tooManyTogether;
  const { literalPrefix } = compiled.expression;
  if (literalPrefix !== '' && !literalPrefix.startsWith('/')) {
    return { code: 'match-never', message: 'can never match: it must match the whole path, which begins with /' };
  }
  for (const [escape] of value.matchAll(/%[0-9A-Fa-f]{2}/g)) {
    const why = escapeThatNeverMatches(escape, allowEncoded);
    if (why !== undefined) return { code: 'match-never', message: `has ${escape}, which can never match: ${why}` };
  }
  return undefined;
}

function escapeThatNeverMatches(escape: string, allowEncoded: readonly string[]): string | undefined {
  // Octets above 0x7f are checked as whole characters in requests; alone, only their spelling matters.
  if (/^%[89A-Fa-f]/.test(escape)) return escape === escape.toUpperCase() ? undefined : `write ${escape.toUpperCase()}`;
  const read = canonicalizePath(`/a${escape}a`);
  if (read.kind === 'refusal' || read.withoutParameters !== read.path) return 'such requests are refused';
  if (read.path !== `/a${escape}a`) return `write ${read.path.slice(2, -1)}`;
  const missing = read.encodedReserved.find((reserved) => !allowEncoded.includes(reserved));
  return missing === undefined
    ? undefined
    : `add ${quote(missing)} to paths.allowEncoded, or requests with it are refused`;
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
