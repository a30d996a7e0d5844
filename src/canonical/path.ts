/**
 * The one reading of a path (docs/semantics.md S11). A path that two programs could read differently is refused;
 * all others have exactly one canonical form, which matching, expressions and logs use.
 */
export interface CanonicalPath {
  readonly kind: 'path';
  /** Unreserved characters decoded, all other escapes kept in upper-case hex, characters that no URI may hold escaped. */
  readonly path: string;
  /** `path` with `;…` taken off every segment. */
  readonly withoutParameters: string;
  /** Those of `%2F %23 %25 %3F` that occur: they pass only where a policy allows them. */
  readonly encodedReserved: readonly string[];
}

export interface PathRefusal {
  readonly kind: 'refusal';
  /** What is ambiguous, for people; never quotes the path. */
  readonly why: string;
}

const none: readonly string[] = Object.freeze([]);
const slash = 0x2f;

/** Reads a path without its query. A path that is plain already comes back as the same string. */
export function canonicalizePath(raw: string): CanonicalPath | PathRefusal {
  if (raw.charCodeAt(0) !== slash) return refuse('it does not begin with a slash');
  const kind = classify(raw);
  if (kind === 'refused')
    return refuse('it has a control character, a space, a backslash, a fragment or a non-ASCII byte');
  if (kind === 'plain' || kind === 'odd-segment') {
    const why = kind === 'plain' ? undefined : ambiguousSegment(raw.split('/'));
    return why === undefined ? { kind: 'path', path: raw, withoutParameters: raw, encodedReserved: none } : refuse(why);
  }
  return canonicalizeEscaped(raw);
}

/** The form in which rules that restrict are compared besides: all decoded (also what was encoded twice), lower case, without trailing slashes and parameters (S14, S15). */
export function foldPath(path: string): string {
  let folded = path;
  if (folded.includes('%')) folded = decodeAll(folded);
  if (folded.includes(';')) folded = folded.replace(/;[^/]*/g, '');
  folded = folded.toLowerCase();
  let end = folded.length;
  while (end > 1 && folded.charCodeAt(end - 1) === slash) end--;
  return end === folded.length ? folded : folded.slice(0, end);
}

/** One pass that tells what a path needs: nothing more, a look at its segments (one is empty or begins with a dot), or a reading. */
function classify(raw: string): 'plain' | 'odd-segment' | 'escaped' | 'refused' {
  let plain = true;
  let odd = false;
  let before = 0;
  for (let i = 0; i < raw.length; i++) {
    const c = raw.charCodeAt(i);
    if (before === slash && (c === slash || c === 0x2e)) odd = true;
    before = c;
    if (c <= 0x20 || c >= 0x7f || c === 0x5c || c === 0x23 || c === 0x3f) return 'refused';
    if (c === 0x25 || c === 0x3b || isForbiddenRaw(c)) plain = false;
  }
  if (!plain) return 'escaped';
  return odd ? 'odd-segment' : 'plain';
}

/** `" < > ^ \` { | }`: no URI may hold them raw (RFC 3986 2), many clients send them; they are escaped so that one form is left. */
function isForbiddenRaw(c: number): boolean {
  return c === 0x22 || c === 0x3c || c === 0x3e || c === 0x5e || c === 0x60 || (c >= 0x7b && c <= 0x7d);
}

function canonicalizeEscaped(raw: string): CanonicalPath | PathRefusal {
  const reserved = new Set<string>();
  let path = '';
  for (let i = 0; i < raw.length; i++) {
    const c = raw.charCodeAt(i);
    if (c !== 0x25) {
      path += isForbiddenRaw(c) ? `%${c.toString(16).toUpperCase()}` : raw.charAt(i);
      continue;
    }
    const octet = hexOctet(raw, i + 1);
    if (octet < 0) return refuse('it has a percent sign without two hexadecimal digits');
    if (octet < 0x20 || octet === 0x7f || octet === 0x5c)
      return refuse('it has an encoded control character or backslash');
    const escape = `%${raw.slice(i + 1, i + 3).toUpperCase()}`;
    if (isReservedOctet(octet)) reserved.add(escape);
    path += isUnreserved(octet) ? String.fromCharCode(octet) : escape;
    i += 2;
  }
  if (path.split('/').some(hidesSlash)) return refuse('it has an encoded slash within a parameter');
  const why = ambiguousSegment(path.split(/\/|%2F/)) ?? hiddenByPercent(path) ?? badUtf8(path);
  if (why !== undefined) return refuse(why);
  const withoutParameters = /;|%3B/.test(path) ? path.replace(/(;|%3B)[^/]*/g, '') : path;
  return { kind: 'path', path, withoutParameters, encodedReserved: reserved.size === 0 ? none : [...reserved] };
}

/** True where an encoded slash stands behind the beginning of a parameter. Looked for by index: a regular expression would begin anew at every `;`. */
function hidesSlash(segment: string): boolean {
  const parameters = segment.search(/;|%3B/);
  return parameters >= 0 && segment.includes('%2F', parameters);
}

/** Segments without their separators; the first, before the leading slash, is empty, and so may be the last. */
function ambiguousSegment(segments: readonly string[]): string | undefined {
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i] ?? '';
    if (segment === '' && i < segments.length - 1) return 'it has an empty segment';
    const first = segment.charCodeAt(0);
    if (first !== 0x2e && first !== 0x3b && first !== 0x25) continue;
    const name = segment.replace(/(;|%3B).*$/, '');
    if (name === '' && segment !== '') return 'it has a segment of parameters alone';
    if (name === '.' || name === '..') return 'it has a dot segment';
  }
  return undefined;
}

/** An encoded percent sign passes only where a policy allows it, and never where a second decoding would make a separator or a dot of it. */
function hiddenByPercent(path: string): string | undefined {
  return /%25(25)*(2[EeFf3]|3[BbFf]|5[Cc]|[01][0-9A-Fa-f]|7[Ff])/.test(path)
    ? 'it has a doubly encoded separator, dot or control character'
    : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function badUtf8(path: string): string | undefined {
  for (const [run] of path.matchAll(/(?:%[89A-F][0-9A-F])+/g)) {
    const bytes = Uint8Array.from(run.slice(1).split('%'), (hex) => Number.parseInt(hex, 16));
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      return 'it has encoded bytes that are not UTF-8';
    }
    if (/[\u0080-\u009f]/.test(text)) return 'it has an encoded control character or backslash';
  }
  return undefined;
}

/** Decodes as often as anybody behind us may: `%2541` is `A` to who does it twice. */
function decodeAll(path: string): string {
  const once = path.replace(/%(?:25)+(?=[0-9A-Fa-f]{2})/g, '%');
  try {
    return decodeURIComponent(once);
  } catch {
    return once;
  }
}

/** The octet that the two hexadecimal digits at `at` say, or -1. */
function hexOctet(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  if (c >= 0x41 && c <= 0x46) return c - 0x37;
  if (c >= 0x61 && c <= 0x66) return c - 0x57;
  return -1;
}

/** RFC 3986 2.3. */
function isUnreserved(c: number): boolean {
  return (
    (c >= 0x30 && c <= 0x39) ||
    (c >= 0x41 && c <= 0x5a) ||
    (c >= 0x61 && c <= 0x7a) ||
    c === 0x2d ||
    c === 0x2e ||
    c === 0x5f ||
    c === 0x7e
  );
}

/** `/ # % ?`. */
function isReservedOctet(c: number): boolean {
  return c === 0x2f || c === 0x23 || c === 0x25 || c === 0x3f;
}

function refuse(why: string): PathRefusal {
  return { kind: 'refusal', why };
}
