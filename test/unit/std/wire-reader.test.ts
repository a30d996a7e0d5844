import { describe, expect, test } from 'vitest';
import { isAsciiIn, WireError, WireReader } from '../../../src/std/wire-reader.ts';
import { heapGrowth } from '../../support/heap-growth.ts';
import { field, group, tag, varint, type WireType } from '../../support/wire-message.ts';

/** The texts of the length-delimited fields, `number: text`. */
function textsOf(bytes: Uint8Array, known: readonly number[] = []): readonly string[] {
  const reader = new WireReader(bytes);
  const texts: string[] = [];
  for (let number = reader.next(reader.length, known); number !== 0; number = reader.next(reader.length, known)) {
    texts.push(`${number}: ${reader.text()}`);
  }
  return texts;
}

/** A message of these pieces between two texts. */
function between(...pieces: readonly Uint8Array[]): Buffer {
  return Buffer.concat([field(1, 'before'), ...pieces, field(2, 'behind')]);
}

describe('fields', () => {
  test('of a message come one after the other, in the order of the wire', () => {
    const bytes = Buffer.concat([field(7, 'b'), field(2, ''), field(7, 'c'), field(536_870_911, 'last')]);
    expect(textsOf(bytes)).toEqual(['7: b', '2: ', '7: c', '536870911: last']);
    expect(textsOf(new Uint8Array())).toEqual([]);
  });

  test('are found in messages within messages, up to their ends', () => {
    const reader = new WireReader(
      Buffer.concat([field(1, [field(2, 'inner'), field(3, 'passed')]), field(4, 'outer')]),
    );
    expect(reader.next(reader.length, [])).toBe(1);
    const { end } = reader;
    expect([reader.next(end, []), reader.text()]).toEqual([2, 'inner']);
    expect(reader.next(end, [])).toBe(3);
    reader.pass();
    expect(reader.next(end, [])).toBe(0);
    expect([reader.next(reader.length, []), reader.text()]).toEqual([4, 'outer']);
  });

  test.each([
    ['a varint', [tag(9, 0), varint(300)]],
    ['a varint of 64 bits', [tag(9, 0), varint(2n ** 64n - 1n)]],
    ['a varint with superfluous bytes', [tag(9, 0), varint(1, 10)]],
    ['64 bits', [tag(9, 1), Buffer.alloc(8, 0xff)]],
    ['32 bits', [tag(9, 5), Buffer.alloc(4, 0xff)]],
    ['an empty group', [group(9)]],
    [
      'a group of every type',
      [group(9, tag(1, 0), varint(1), field(2, 'x'), group(3, group(3)), tag(4, 5), Buffer.alloc(4))],
    ],
    ['groups 90 deep', [nested(90)]],
    ['a tag with superfluous bytes', [varint(9 * 8, 5), varint(1)]],
  ])('of another type are passed over: %s', (_, pieces) => {
    expect(textsOf(between(...pieces))).toEqual(['1: before', '2: behind']);
  });

  test('with a length of superfluous bytes are read', () => {
    expect(textsOf(between(tag(3, 2), varint(2, 5), Buffer.from('ab')))).toEqual(['1: before', '3: ab', '2: behind']);
  });
});

function nested(depth: number): Buffer {
  return Buffer.concat([
    ...Array.from({ length: depth }, () => tag(9, 3)),
    ...Array.from({ length: depth }, () => tag(9, 4)),
  ]);
}

describe('bytes that are no message are refused', () => {
  test.each([
    ['a field without a number', between(field(0, 'x'))],
    ['a varint without a number', between(tag(0, 0), varint(1))],
    ['a type 6', between(tag(9, 6))],
    ['a type 7', between(tag(9, 7))],
    ['the end of a group that did not begin', between(tag(9, 4))],
    ['the end of another group', between(tag(9, 3), tag(8, 4))],
    ['a group without an end', Buffer.concat([field(1, 'x'), tag(9, 3), field(2, 'y')])],
    ['a field without a number in a group', between(tag(9, 3), field(0, 'x'), tag(9, 4))],
    ['groups 91 deep', between(nested(91))],
    ['groups without end', Buffer.alloc(1_000_000, 0x0b)],
    ['a tag of more than 32 bits', between(varint(2 ** 35 + 8 * 9), varint(1))],
    ['a tag of more than five bytes', between(varint(9 * 8, 6), varint(1))],
    ['a length of more than 32 bits', between(tag(9, 2), varint(2 ** 32 + 1), Buffer.from('x'))],
    ['a length beyond the end', Buffer.concat([tag(9, 2), varint(3), Buffer.from('xy')])],
    ['a length far beyond the end', Buffer.concat([tag(9, 2), varint(2 ** 32 - 1), Buffer.from('xy')])],
    ['a varint of more than ten bytes', between(tag(9, 0), varint(1, 11))],
    ['a varint without an end', Buffer.concat([tag(9, 0), Buffer.from([0x80])])],
    ['a tag without an end', Buffer.from([0x80])],
    ['a tag without a value', tag(9, 0)],
    ['a length without an end', Buffer.concat([tag(9, 2), Buffer.from([0x80])])],
    ['64 bits cut off', Buffer.concat([tag(9, 1), Buffer.alloc(7)])],
    ['32 bits cut off', Buffer.concat([tag(9, 5), Buffer.alloc(3)])],
  ])('%s', (_, bytes) => {
    expect(() => textsOf(bytes)).toThrow(WireError);
  });

  test.each([0, 1, 3, 5] as const)('a known field of type %i, which unknown fields may have', (type: WireType) => {
    const contents = { 0: varint(1), 1: Buffer.alloc(8), 3: tag(9, 4), 5: Buffer.alloc(4) }[type as 0 | 1 | 3 | 5];
    const bytes = between(tag(9, type), contents);
    expect(() => textsOf(bytes, [9])).toThrow(WireError);
    expect(textsOf(bytes, [8])).toEqual(['1: before', '2: behind']);
  });

  test('a field that goes beyond the message around it, though not beyond the whole', () => {
    const reader = new WireReader(between(field(3, [tag(4, 2), varint(5), Buffer.from('abc')])));
    reader.next(reader.length, []);
    reader.pass();
    expect(reader.next(reader.length, [])).toBe(3);
    expect(() => reader.next(reader.end, [])).toThrow(WireError);
  });
});

describe('a text', () => {
  const read = (bytes: Uint8Array, behind = ''): readonly [string, boolean] => {
    const reader = new WireReader(Buffer.concat([field(1, bytes), field(2, behind)]));
    reader.next(reader.length, []);
    const { at, end } = reader;
    return [reader.text(), isAsciiIn(Buffer.concat([field(1, bytes), field(2, behind)]), at, end)];
  };

  test.each([
    ['of nothing', '', '', true],
    ['of ASCII', 'a\u0000\u007f', 'a\u0000\u007f', true],
    ['of UTF-8', 'schl\u00fcssel \u{1f511}', 'schl\u00fcssel \u{1f511}', false],
    ['with a mark of order', '\uFEFFa', '\uFEFFa', false],
    ['with the replacement character', 'a\uFFFD', 'a\uFFFD', false],
    ['that is not UTF-8', Buffer.from([0x61, 0xe9, 0x62]), 'a\uFFFDb', false],
    ['cut off within a character', Buffer.from([0xe2, 0x82]), '\uFFFD', false],
    ['with an overlong character', Buffer.from([0xc0, 0xaf]), '\uFFFD\uFFFD', false],
    ['with a surrogate', Buffer.from([0xed, 0xa0, 0x80]), '\uFFFD\uFFFD\uFFFD', false],
  ])('%s', (_, bytes, text, isAscii) => {
    expect(read(Buffer.from(bytes))).toEqual([text, isAscii]);
    expect(read(Buffer.from(bytes), 'x'.repeat(100_000))).toEqual([text, isAscii]);
  });

  test('is what it is wherever the only byte above 0x7f stands, in a message that begins anywhere in its buffer', () => {
    for (let length = 1; length < 12; length++) {
      for (let at = 0; at < length; at++) {
        const bytes = Buffer.alloc(length, 'a');
        bytes[at] = 0xff;
        expect(read(bytes)).toEqual([bytes.toString('utf8'), false]);
        const padded = Buffer.concat([Buffer.alloc(at, 0xff), field(1, 'a'.repeat(length)), Buffer.alloc(9, 0xff)]);
        expect(textsOf(padded.subarray(at, -9))).toEqual([`1: ${'a'.repeat(length)}`]);
      }
    }
  });

  test('of a plain Uint8Array is the same', () => {
    expect(textsOf(Uint8Array.from(field(1, 'caf\u00e9')))).toEqual(['1: caf\u00e9']);
  });

  test('of a message above 64 KB does not keep the message in memory', () => {
    const long = (n: number): string =>
      textsOf(Buffer.concat([field(1, `${n} `.padEnd(60, 'x')), field(2, 'y'.repeat(70_000))]))[0] ?? '';
    expect(heapGrowth(200, long)).toBeLessThan(1_000_000);
  });
});
