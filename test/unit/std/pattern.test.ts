import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { maxPatternCost, patternCost } from '../../../src/std/pattern-cost.ts';
import { compilePattern } from '../../../src/std/pattern.ts';
import { compileRegularExpression } from '../../../src/std/regular-expression.ts';

function found(source: string, text: string): boolean {
  const pattern = compilePattern(source);
  if (pattern.kind === 'invalid') throw new Error(pattern.why);
  return pattern.foundIn(text);
}

describe('a pattern', () => {
  const sources = [
    '',
    'abc',
    '^abc',
    'abc$',
    '^abc$',
    '^',
    '$',
    '^$',
    'a\\.b',
    '^a/b',
    'a.c',
    'a|b',
    '[a-c]x',
    '(?i)ABC',
    'x*',
  ];
  const texts = ['', 'abc', 'xabc', 'abcx', 'xabcx', 'a.b', 'axb', 'a/b', '/a/b', 'bx', 'ABC', 'abc\n', '\nabc'];

  test.each(sources)('%j finds what RE2 finds', (source) => {
    expect(texts.map((text) => found(source, text))).toEqual(texts.map((text) => RE2JS.compile(source).test(text)));
  });

  test('that is plain is not compiled', () => {
    expect(['abc', '^/api/', '\\.json$', '^GET$'].map((source) => compilePattern(source))).toEqual(
      Array.from({ length: 4 }, () => expect.objectContaining({ size: 1 })),
    );
    expect(compilePattern('a.c')).toMatchObject({ kind: 'pattern', size: expect.any(Number) });
  });

  test.each(['(', 'a**', '(?=a)', '\\1', '[b-a]', 'x{1001}'])('%j is none', (source) => {
    expect(compilePattern(source).kind).toBe('invalid');
  });
});

const tooLarge = 'its repetitions and classes make it too large: fewer or smaller ones';

describe('the cost of a pattern', () => {
  test.each([
    ['abc', 3],
    ['a|b', 3],
    ['[a-z]+', 2],
    ['x{3}', 3],
    ['x{2,5}y', 6],
    ['x{7,}', 7],
    ['(ab){10}', 40],
    ['((a{10}){10}){10}', 1220],
    ['\\p{Greek}{4}', 8],
    ['\\x{1000}', 1],
    ['\\Q[({1000}\\E{3}', 10],
    ['(?i)[a-z]', 5],
    ['[\\x{4e00}-\\x{9fff}]', 1],
    ['[[:alpha:]]{4}[^]]{2}', 6],
    ['\\{3}', 3],
  ])('%j is %i', (source, cost) => {
    expect(patternCost(source)).toBe(cost);
  });

  test('is near that of the program for patterns as people write them', () => {
    const uuid = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
    expect(patternCost(uuid)).toBe(38);
    expect(compilePattern(uuid)).toMatchObject({ kind: 'pattern', size: 160 });
  });

  test('counts a class of Unicode once where it is repeated by itself, and for each group that is', () => {
    const letters = patternCost('\\pL');
    expect(letters).toBeGreaterThan(50);
    expect(patternCost('\\pL{64}')).toBe(letters + 63);
    expect(patternCost('[\\pL ]{64}')).toBe(letters + 63);
    expect(patternCost('(\\pL){64}')).toBe(64 * (letters + 2));
    // A name that is none is no class, and costs what it has of letters.
    expect(patternCost('\\p{Nobody}')).toBe(1);
  });

  test('counts the characters of a range whose other cases are looked up', () => {
    const wide = '[\\x{42}-\\x{1e942}]';
    expect([patternCost(wide), patternCost(wide, true) > maxPatternCost]).toEqual([1, true]);
    expect(patternCost(`(?i)${wide}`)).toBeGreaterThan(maxPatternCost);
    // However the bounds are written.
    for (const written of [
      '[\\\\x{1e941}-\\x{1e942}]',
      '[--\\x{1e942}]',
      '[\\d--\\x{1e942}]',
      '[[:alpha:]--\\x{1e942}]',
    ])
      expect(patternCost(written, true)).toBeGreaterThan(maxPatternCost);
    // The controls: there is nothing to look up in all characters, nor beyond those that have another case.
    expect(patternCost('[^\\x00-\\x7f]', true)).toBeLessThan(10);
    expect(patternCost('[\\x{20000}-\\x{2ffff}]', true)).toBe(1);
    expect(patternCost('[\\x{0}-\\x{10ffff}]', true)).toBe(1);
  });

  test.each([
    'x{1000}y{1000}z{1000}',
    '(abcdefgh){400}',
    '(x{30}){30}(y{30}){30}(z{30}){30}',
    '(\\pL[^\\pL]){100}',
    '\\Q[\\Ex{1000}y{1000}z{1000}]',
  ])('%j is too much wherever a pattern is read', (source) => {
    expect(patternCost(source)).toBeGreaterThan(maxPatternCost);
    expect(compilePattern(source)).toEqual({ kind: 'invalid', why: tooLarge });
    expect(compileRegularExpression(source)).toEqual({
      kind: 'invalid',
      why: tooLarge,
      isTooLarge: true,
      work: 0,
    });
  });
});
