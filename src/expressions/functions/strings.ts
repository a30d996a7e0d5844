import { hasSurrogates, sliceOf } from '../values/code-points.ts';
import { Fault } from '../values/fault.ts';
import { spend, spendList, spendText, type Meter } from '../values/meter.ts';
import { binary, method, quaternary, ternary, unary } from './definition.ts';
import { format } from './format.ts';
import { spendSearch } from './text-search.ts';

const outOfRange = new Fault('value', 'the position is not within the text');

/** What makes texts out of texts. Positions count code points. */
export const stringFunctions = [
  method(
    'lowerAscii',
    'string',
    unary('string', (text, meter) => spendText(meter, text.length) ?? changeAscii(text, /[A-Z]+/g, 'toLowerCase')),
  ),
  method(
    'upperAscii',
    'string',
    unary('string', (text, meter) => spendText(meter, text.length) ?? changeAscii(text, /[a-z]+/g, 'toUpperCase')),
  ),
  method(
    'trim',
    'string',
    unary('string', (text, meter) => spendText(meter, text.length) ?? trim(text)),
  ),
  method(
    'charAt',
    'string',
    binary('string', 'int', (text, at, meter) => {
      // One behind the last is the empty text, as in CEL's string extension.
      const isEnd = at > 0n && sliceOf(text, at, at) === '' && sliceOf(text, at, at + 1n) === undefined;
      return spend(meter, text.length >> 6) ?? (isEnd ? '' : (sliceOf(text, at, at + 1n) ?? outOfRange));
    }),
  ),
  method(
    'substring',
    'string',
    binary('string', 'int', (text, from, meter) => spendText(meter, text.length) ?? sliceOr(text, from, undefined)),
  ),
  method(
    'substring',
    'string',
    ternary(
      ['string', 'int', 'int'],
      (text, from, to, meter) => spendText(meter, text.length) ?? sliceOr(text, from, to),
    ),
  ),
  method(
    'replace',
    'string',
    ternary(['string', 'string', 'string'], (text, from, to, meter) => replace([text, from, to], -1n, meter)),
  ),
  method('replace', 'string', quaternary(['string', 'string', 'string', 'int'], replace)),
  method(
    'split',
    'list<string>',
    binary('string', 'string', (text, by, meter) => split(text, by, -1n, meter)),
  ),
  method('split', 'list<string>', ternary(['string', 'string', 'int'], split)),
  method(
    'join',
    'string',
    unary('texts', (texts, meter) => join(texts, '', meter)),
  ),
  method('join', 'string', binary('texts', 'string', join)),
  method('format', 'string', binary('string', 'list', format)),
];

function changeAscii(text: string, letters: RegExp, change: 'toLowerCase' | 'toUpperCase'): string {
  return text.replace(letters, (found) => found[change]());
}

/** Unicode white space, which U+FEFF is not and U+0085 is; JavaScript's trim sees both the other way. */
function trim(text: string): string {
  return text.replace(/^[\p{White_Space}]+/u, '').replace(/(?<!\p{White_Space})\p{White_Space}+$/u, '');
}

function sliceOr(text: string, from: bigint, to: bigint | undefined): string | Fault {
  return sliceOf(text, from, to) ?? outOfRange;
}

/** The first `times` occurrences; all where it is negative. An empty `from` stands between all characters. */
function replace([text, from, to]: readonly [string, string, string], times: bigint, meter: Meter): string | Fault {
  const over = spendSearch(meter, text, from) ?? spendText(meter, text.length);
  if (over !== undefined) return over;
  const tooMany = from === '' ? spendList(meter, text.length) : undefined;
  if (tooMany !== undefined) return tooMany;
  const parts = from === '' ? ['', ...Array.from(text), ''] : text.split(from);
  const all = parts.length - 1;
  const replaced = times < 0n || times > BigInt(all) ? all : Number(times);
  const length = text.length + replaced * Math.max(0, to.length - from.length);
  const head = parts.slice(0, replaced + 1);
  return spendList(meter, all) ?? spendText(meter, length) ?? [head.join(to), ...parts.slice(replaced + 1)].join(from);
}

/** At most `limit` parts, the last with the rest; all where it is negative. */
function split(text: string, by: string, limit: bigint, meter: Meter): readonly string[] | Fault {
  if (limit === 0n) return [];
  const over = spendSearch(meter, text, by) ?? spend(meter, text.length >> 3);
  if (over !== undefined) return over;
  const parts = by === '' && hasSurrogates(text) ? Array.from(text) : text.split(by);
  const tooMany = spendList(meter, parts.length);
  if (tooMany !== undefined) return tooMany;
  if (limit < 0n || BigInt(parts.length) <= limit) return parts;
  const kept = Number(limit) - 1;
  return [...parts.slice(0, kept), parts.slice(kept).join(by)];
}

function join(texts: readonly string[], by: string, meter: Meter): string | Fault {
  const over = spendList(meter, texts.length);
  if (over !== undefined) return over;
  const length = texts.reduce((sum, text) => sum + text.length, by.length * Math.max(0, texts.length - 1));
  return spendText(meter, length) ?? texts.join(by);
}
