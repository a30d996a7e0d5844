import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseStrictJson, parseStrictJsonBytes } from '../../../src/std/strict-json.ts';

describe('what JSON.parse lets pass and we do not', () => {
  test.each([
    ['{"a":1,"a":1}', 'duplicate_member'],
    ['{"a":1,"b":{"c":1,"d":2,"c":3}}', 'duplicate_member'],
    ['[{"a":[{"b":1,"b":2}]}]', 'duplicate_member'],
    ['{"a":1,"\\u0061":2}', 'duplicate_member'],
    ['{"__proto__":1,"__proto__":2}', 'duplicate_member'],
    ['{"":1,"":2}', 'duplicate_member'],
    ['{"a":{},"a":[]}', 'duplicate_member'],
    ['1e999', 'number_range'],
    ['{"exp":-1e400}', 'number_range'],
    [`[${'9'.repeat(400)}]`, 'number_range'],
    ['"\\ud800"', 'lone_surrogate'],
    ['{"\\udc00":1}', 'lone_surrogate'],
    ['"\ud800"', 'lone_surrogate'],
    ['['.repeat(33) + ']'.repeat(33), 'too_deep'],
    ['{"a":'.repeat(33) + '1' + '}'.repeat(33), 'too_deep'],
  ])('%s: %s', (text, reason) => {
    expect(() => void (text.isWellFormed() && JSON.parse(text))).not.toThrow();
    expect(parseStrictJson(text)).toEqual({ kind: 'invalid', reason });
  });

  test.each([
    ['{"a":{"a":1},"b":{"a":2}}'],
    ['[{"a":1},{"a":2}]'],
    ['{"a":"a","b":"a,\\"a\\":1"}'],
    ['{"a":["a","a","b"],"b":1}'],
    ['"\\ud83d\\ude00"'],
    ['1e308'],
    ['['.repeat(32) + ']'.repeat(32)],
    ['{"A":1,"a":2}'],
    [' {"a" : "\\\\" , "b":"\\""} '],
  ])('control: %s', (text) => {
    expect(parseStrictJson(text)).toEqual({ kind: 'value', value: JSON.parse(text) });
  });
});

test('what is no JSON is none here', () => {
  for (const text of [
    '',
    '{',
    '{"a":1,}',
    "{'a':1}",
    '{"a":01}',
    '[1,]',
    'NaN',
    '{"a":"\\x"}',
    '\u{feff}{}',
    '{}{}',
    '"a',
    '"\n"',
    '+1',
    '{"a":1}}',
  ]) {
    expect(() => void JSON.parse(text)).toThrow();
    expect(parseStrictJson(text)).toEqual({ kind: 'invalid', reason: 'syntax' });
  }
});

test('bytes must be UTF-8 without a byte order mark', () => {
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
  expect(parseStrictJsonBytes(bytes(0x22, 0xff, 0x22))).toEqual({ kind: 'invalid', reason: 'encoding' });
  expect(parseStrictJsonBytes(bytes(0x22, 0xc0, 0xaf, 0x22))).toEqual({ kind: 'invalid', reason: 'encoding' });
  expect(parseStrictJsonBytes(bytes(0x22, 0xed, 0xa0, 0x80, 0x22))).toEqual({ kind: 'invalid', reason: 'encoding' });
  expect(parseStrictJsonBytes(bytes(0xef, 0xbb, 0xbf, 0x31))).toEqual({ kind: 'invalid', reason: 'syntax' });
  expect(parseStrictJsonBytes(Buffer.from('"é"'))).toEqual({ kind: 'value', value: 'é' });
});

test("limits are the caller's: another depth, and a last member that wins", () => {
  expect(parseStrictJson('[[1]]', { maxDepth: 1 })).toEqual({ kind: 'invalid', reason: 'too_deep' });
  expect(parseStrictJson('[1]', { maxDepth: 1 })).toEqual({ kind: 'value', value: [1] });
  expect(parseStrictJson('{"a":1,"a":2}', { duplicates: 'last-wins' })).toEqual({ kind: 'value', value: { a: 2 } });
});

test('a million brackets neither overflow the stack nor take long', () => {
  const started = performance.now();
  for (const text of ['['.repeat(1_000_000), '{"a":'.repeat(200_000), `"${'\\"'.repeat(500_000)}`]) {
    expect(parseStrictJson(text).kind).toBe('invalid');
  }
  expect(performance.now() - started).toBeLessThan(2_000);
});

test('agrees with JSON.parse on every JSON text that says one thing', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 1, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      expect(parseStrictJson(text)).toEqual({ kind: 'value', value: JSON.parse(text) });
    }),
    { numRuns: 500 },
  );
});

test('never accepts what JSON.parse refuses, and then with the same value', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"b"',
    '1',
    '-',
    'e9',
    '"',
    '\\',
    'null',
    ' ',
    '\\u0061',
    '.5',
    'é',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(piece).map((pieces) => pieces.join('')),
      ),
      (text) => {
        const strict = parseStrictJson(text);
        if (strict.kind === 'value') expect(strict.value).toEqual(JSON.parse(text));
      },
    ),
    { numRuns: 1000 },
  );
});
