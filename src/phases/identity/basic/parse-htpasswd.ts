import type { PasswordHash } from '../../../core/password-hash.ts';
import { parsePasswordHash } from './parse-password-hash.ts';

/** One user who may come. Never changed: another hash is another user. */
export interface BasicUser {
  readonly name: string;
  /** As it was written. */
  readonly text: string;
  readonly hash: PasswordHash;
}

export interface Htpasswd {
  /** By name. */
  readonly users: ReadonlyMap<string, BasicUser>;
  /** What is wrong or weak, by line and never by content; undefined where nothing is. */
  readonly faults: string | undefined;
}

/** More lines would hold requests up while they are read. */
const maxUsers = 10_000;
/** A Secret of a cluster is at most half of it. */
const maxCharacters = 2 * 1024 * 1024;
/** The longest hash that is taken, behind the longest name, is much shorter. */
const maxLineCharacters = 1024;
/** Of each fault so many lines are named. */
const maxNamedLines = 10;
const badName = /\p{Cc}/u;

/**
 * Reads an htpasswd file: `name:hash` on each line, `#` before a comment. A line that cannot be used is left out and named in `faults`; of two
 * with one name neither works. Users of `before` whose line is the same stay who they are.
 */
export function parseHtpasswd(text: string, before: ReadonlyMap<string, BasicUser> = new Map()): Htpasswd {
  if (text.length > maxCharacters)
    return { users: new Map(), faults: `longer than ${maxCharacters} characters: not used` };
  const users = new Map<string, BasicUser>();
  const lineOf = new Map<string, number>();
  const faults = createFaults();
  const twice = new Set<string>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd();
    if (line === '' || line.startsWith('#')) continue;
    const number = index + 1;
    if (line.length > maxLineCharacters) {
      faults.note(`longer than ${maxLineCharacters} characters`, number);
      continue;
    }
    if (lineOf.size >= maxUsers) {
      faults.note(`beyond the first ${maxUsers} users`, number);
      continue;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    if (colon < 1 || badName.test(name) || Buffer.byteLength(name) > 255) {
      faults.note('without a name and a colon', number);
      continue;
    }
    const first = lineOf.get(name);
    if (first !== undefined) {
      if (!twice.has(name)) faults.note('of one name with another line', first);
      faults.note('of one name with another line', number);
      twice.add(name);
      continue;
    }
    lineOf.set(name, number);
    const user = readUser(name, line.slice(colon + 1), before.get(name), number, faults);
    if (user !== undefined) users.set(name, user);
  }
  for (const name of twice) users.delete(name);
  return { users, faults: faults.tell() };
}

function readUser(
  name: string,
  text: string,
  before: BasicUser | undefined,
  line: number,
  faults: Faults,
): BasicUser | undefined {
  const parsed = parsePasswordHash(text);
  if ('refused' in parsed) {
    faults.note(parsed.refused, line);
    return undefined;
  }
  if (parsed.weak !== undefined) faults.noteWeak(parsed.weak, line);
  // Cut out of the file's text it would keep the whole in memory with it.
  return before?.text === text ? before : { name, text: Buffer.from(text).toString(), hash: parsed.hash };
}

interface Faults {
  /** The line is left out. */
  note(what: string, line: number): void;
  /** It is used all the same. */
  noteWeak(what: string, line: number): void;
  tell(): string | undefined;
}

function createFaults(): Faults {
  const leftOut = new Map<string, number[]>();
  const weak = new Map<string, number[]>();
  const note = (of: Map<string, number[]>, what: string, line: number): void => {
    const lines = of.get(what);
    if (lines === undefined) of.set(what, [line]);
    else lines.push(line);
  };
  const tellAll = (of: Map<string, number[]>, head: string): readonly string[] =>
    of.size === 0 ? [] : [`${head}: ${[...of].map(([what, lines]) => `${linesInWords(lines)} (${what})`).join(', ')}`];
  return {
    note: (what, line) => note(leftOut, what, line),
    noteWeak: (what, line) => note(weak, what, line),
    tell: () => {
      const parts = [...tellAll(leftOut, 'not used'), ...tellAll(weak, 'used, though weak')];
      return parts.length === 0 ? undefined : parts.join('; ');
    },
  };
}

function linesInWords(lines: readonly number[]): string {
  const sorted = lines.toSorted((a, b) => a - b);
  const more = sorted.length > maxNamedLines ? ` and ${sorted.length - maxNamedLines} more` : '';
  return `${sorted.length === 1 ? 'line' : 'lines'} ${sorted.slice(0, maxNamedLines).join(', ')}${more}`;
}
