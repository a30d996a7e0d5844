import { RE2JS } from 're2js';

/** Above this a regular expression would hold its reader for some milliseconds; a UUID's has about 60. */
export const maxPatternCost = 2500;

interface Level {
  /** Of what stands in the group so far. */
  sum: number;
  /** Of the last piece, which a repetition behind it multiplies. */
  last: number;
}

/**
 * About what it takes to compile a pattern and to keep its program, in instructions, its repetitions written out and the tables of its
 * classes counted: one is some 2 µs and 100 bytes. An upper bound for patterns that RE2 accepts, good enough to refuse what a few characters
 * such as `(x{1000}y{1000})` blow up to. `ignoresCase`: where it is compiled so, whatever it says itself.
 */
export function patternCost(source: string, ignoresCase = false): number {
  const folds = ignoresCase || /\(\?[A-Za-z]*i/.test(source);
  const levels: Level[] = [{ sum: 0, last: 0 }];
  for (const { 0: piece, groups = {} } of source.matchAll(pieces)) {
    const { quoted, repeat } = groups;
    const level = levels.at(-1) ?? { sum: 0, last: 0 };
    if (piece === '(') levels.push({ sum: 0, last: 0 });
    else if (piece === ')' && levels.length > 1) {
      levels.pop();
      add(levels.at(-1) ?? level, level.sum + 2);
    } else if (quoted !== undefined) {
      level.sum += quoted.length;
      level.last = 1;
    } else if (repeat === undefined) {
      // A table is made once, however often its class is repeated by itself.
      level.sum += tableCost(piece, folds);
      add(level, 1);
    } else {
      const copies = Math.max(...repeat.split(',').map(Number));
      level.sum += level.last * Math.max(0, copies - 1);
      level.last *= Math.max(1, copies);
    }
  }
  // Groups that are not closed are refused by RE2, after it has read them.
  return levels.reduce((sum, level) => sum + level.sum, 0);
}

/** A quotation, an escape, a class, a repetition with its numbers, or any one character. */
const pieces =
  /\\(?:Q(?<quoted>[\s\S]*?)(?:\\E|$)|[pP]\{[^}]{0,40}\}|[pP][A-Z]|x\{[0-9A-Fa-f]{1,8}\}|[\s\S])|\[\^?\]?(?:\\[\s\S]|\[:\^?\w{1,10}:\]|[^\]\\])*(?:\]|$)|\{(?<repeat>\d{1,6}(?:,\d{0,6})?)\}|[\s\S]/g;

function add(level: Level, cost: number): void {
  level.sum += cost;
  level.last = cost;
}

/** Bounds of ranges that take as long as an instruction. */
const boundsOfInstruction = 16;
/** Where case is ignored every character of a range is looked up; so many take as long as an instruction. */
const foldsOfInstruction = 32;
/** What lies outside has no other case; a range over all of it is not looked up. */
const cased = { first: 0x41, last: 0x1e943 };

/** Of the ranges of a class, in instructions. */
function tableCost(piece: string, folds: boolean): number {
  if (piece.length < 2) return 0;
  const items = piece.replace(/^\[\^?/, '').match(classItems) ?? [];
  let bounds = items.length;
  let looked = 0;
  for (const [at, item] of items.entries()) {
    if (/^\\[pP]/.test(item)) bounds += boundsOfClass(item.slice(2)) * (folds ? 2 : 1);
    else if (item === '-' && folds) looked += lookedUp(codePoint(items[at - 1]), codePoint(items[at + 1]));
  }
  return Math.floor(bounds / boundsOfInstruction) + Math.floor(looked / foldsOfInstruction);
}

/** As RE2 reads them one after the other: what an escape stands for depends on where the one before ended. */
const classItems =
  /\\(?:[pP]\{[^}]*\}|[pP][\s\S]|x\{[0-9A-Fa-f]*\}|x[0-9A-Fa-f]{2}|[0-7]{1,3}|[\s\S])|\[:\^?\w{1,10}:\]|[\s\S]/gu;

function lookedUp(from: number, to: number): number {
  if (from <= cased.first && to >= cased.last) return 0;
  return Math.max(0, Math.min(to, cased.last) - Math.max(from, cased.first));
}

/** Of an item of a class; of what has none, one from which a range is longest. */
function codePoint(item = ''): number {
  const hex = /^\\x\{?([0-9A-Fa-f]+)/.exec(item)?.[1];
  if (hex !== undefined) return Number.parseInt(hex, 16);
  const octal = /^\\([0-7]+)$/.exec(item)?.[1];
  if (octal !== undefined) return Number.parseInt(octal, 8);
  return item.startsWith('\\') ? 0 : (item.codePointAt(0) ?? 0);
}

/** There are some 300 names, and no other is kept. */
const known = new Map<string, number>();

/** How many bounds the ranges of a class of Unicode have (`L`, `{Greek}`); 0 for one that RE2 does not know. */
function boundsOfClass(name: string): number {
  const before = known.get(name);
  if (before !== undefined) return before;
  try {
    const { prog } = RE2JS.compile(`\\p${name}`).re2Input;
    let bounds = 0;
    for (let at = 0; at < prog.numInst(); at++) bounds += prog.getInst(at).runes?.length ?? 0;
    // Names are taken in several spellings, which are not all kept.
    if (known.size < 1000) known.set(name, bounds);
    return bounds;
  } catch {
    return 0;
  }
}
