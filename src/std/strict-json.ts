export interface StrictJsonLimits {
  /** How many containers may stand within each other; a scalar is depth 0. Default 32. */
  readonly maxDepth?: number;
  /** A member name that comes twice in one object: `refuse` (default), or the last one counts (RFC 7517 section 4 permits both for keys). */
  readonly duplicates?: 'refuse' | 'last-wins';
}

/** Why a text is not strict JSON. */
export type StrictJsonReason =
  'encoding' | 'syntax' | 'duplicate_member' | 'too_deep' | 'number_range' | 'lone_surrogate';

export type StrictJson =
  { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'invalid'; readonly reason: StrictJsonReason };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** As `parseStrictJson`, from bytes that must be UTF-8 without a byte order mark (RFC 8259 section 8.1). */
export function parseStrictJsonBytes(bytes: Uint8Array, limits?: StrictJsonLimits): StrictJson {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { kind: 'invalid', reason: 'encoding' };
  }
  return parseStrictJson(text, limits);
}

/**
 * Parses RFC 8259 and nothing else, and refuses what two parsers could read differently: a member name that comes twice in one object,
 * numbers beyond a double (`1e999`), lone surrogates (also escaped), more depth than the limit. Linear, without recursion, never throws.
 */
export function parseStrictJson(text: string, limits: StrictJsonLimits = {}): StrictJson {
  if (!text.isWellFormed()) return { kind: 'invalid', reason: 'lone_surrogate' };
  const reason = scan(text, limits.maxDepth ?? 32, limits.duplicates !== 'last-wins');
  if (reason !== undefined) return { kind: 'invalid', reason };
  try {
    const value: unknown = JSON.parse(text);
    return { kind: 'value', value };
  } catch {
    return { kind: 'invalid', reason: 'syntax' };
  }
}

const quote = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** The names seen in each open object; undefined for an open array. */
type Containers = (Set<string> | undefined)[];

/** Looks for what JSON.parse lets pass. Says nothing of the syntax: JSON.parse judges that afterwards. */
function scan(text: string, maxDepth: number, unique: boolean): StrictJsonReason | undefined {
  const open: Containers = [];
  let nameComesNext = false;
  let i = 0;
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (c === quote) {
      const end = stringEnd(text, i);
      const names = nameComesNext ? open.at(-1) : undefined;
      const reason = judgeString(text.slice(i, end), unique ? names : undefined);
      if (reason !== undefined) return reason;
      nameComesNext = false;
      i = end;
    } else if (c === minus || isDigit(c)) {
      const end = numberEnd(text, i);
      if (Math.abs(Number(text.slice(i, end))) === Infinity) return 'number_range';
      i = end;
    } else {
      if (c === openBrace || c === openBracket) {
        if (open.length >= maxDepth) return 'too_deep';
        open.push(c === openBrace ? new Set() : undefined);
        nameComesNext = c === openBrace;
      } else if (c === closeBrace || c === closeBracket) {
        open.pop();
        nameComesNext = false;
      } else if (c === comma) {
        nameComesNext = open.at(-1) !== undefined;
      }
      i++;
    }
  }
  return undefined;
}

/** Judges a string with its quotes; adds it to `names` where it is the name of a member. */
function judgeString(quoted: string, names: Set<string> | undefined): StrictJsonReason | undefined {
  const escaped = quoted.includes('\\');
  if (!escaped && names === undefined) return undefined;
  let value = quoted.slice(1, -1);
  if (escaped) {
    try {
      value = String(JSON.parse(quoted));
    } catch {
      return 'syntax';
    }
    if (!value.isWellFormed()) return 'lone_surrogate';
  }
  if (names?.has(value) === true) return 'duplicate_member';
  names?.add(value);
  return undefined;
}

/** The index behind the closing quote, or the end of the text. */
function stringEnd(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (c === quote) return i + 1;
    i += c === backslash ? 2 : 1;
  }
  return text.length;
}

function numberEnd(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && isNumberPart(text.charCodeAt(i))) i++;
  return i;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

/** `+`, `-`, `.`, a digit, `E` or `e`. */
function isNumberPart(c: number): boolean {
  return isDigit(c) || c === 0x2b || c === minus || c === 0x2e || c === 0x45 || c === 0x65;
}
