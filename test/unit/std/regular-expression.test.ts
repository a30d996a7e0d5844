import { RE2JS } from 're2js';
import { describe, expect, test, vi } from 'vitest';
import {
  compileRegularExpression,
  forgetRegularExpressions,
  type RegularExpression,
} from '../../../src/std/regular-expression.ts';

function compile(pattern: string): RegularExpression {
  const compiled = compileRegularExpression(pattern);
  if (compiled.kind === 'invalid') throw new Error(compiled.why);
  return compiled;
}

/** As people write them. */
const usual = [
  '/orders/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
  '/.*/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
  '/api/v[0-9]+/users/[^/]+/(orders|carts)/[0-9]+',
  '/.*\\.(css|js|png|jpe?g|gif|svg|woff2?)',
  '/reports/[0-9]{4}-[0-9]{2}-[0-9]{2}(\\.(csv|pdf))?',
  '/[a-z]{2}(-[A-Z]{2})?/([a-z0-9]+(-[a-z0-9]+)*/)*[a-z0-9-]+\\.html?',
  '/api(s/[^/]+)?/v[0-9]+((alpha|beta)[0-9]+)?/namespaces/[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/(pods|services|secrets)/.*',
  '/[a-z0-9]([-a-z0-9]{0,253}[a-z0-9])?',
  '/.*secret.*|/.*internal.*|/.*private.*',
  '(/[^/]*)*',
  '/.*a.{6}',
];

/** Each of which RE2 would answer with a state for nearly every character of a text that is made for it. */
const hostile = [
  '/.*a.{500}',
  '/(.*a.{300}|.*b.{300})',
  '/(.{0,40}){20}x',
  '/.*a.{16}',
  '/(.*(a|b)){100}x(.*(a|b)){100}',
  '/(.*[a-m].{30}|.*[n-z].{30})*',
];

describe('a regular expression', () => {
  test.each(usual)('%s is one, and its states are all known before it is used', (pattern) => {
    const compiled = compile(pattern);
    expect(compiled.work).toBeLessThan(500_000);
    // No text of printable ASCII makes a state that was not there.
    const exact = RE2JS.compile(pattern);
    for (const text of texts()) expect(compiled.matches(text)).toBe(exact.testExact(text));
  });

  test.each(hostile)('%s is too large', (pattern) => {
    expect(compileRegularExpression(pattern)).toEqual({
      kind: 'invalid',
      why: expect.stringMatching(/^it can be in too many states at once|^its repetitions/),
      isTooLarge: true,
      work: expect.any(Number),
    });
  });

  test('is compiled once', () => {
    expect(compileRegularExpression('/once/[a-z]+/.*')).toBe(compileRegularExpression('/once/[a-z]+/.*'));
  });

  test('makes no state while it matches', () => {
    const made = vi.spyOn(dfaPrototype(), 'getState');
    try {
      const patterns = usual.map(compile);
      made.mockClear();
      for (const pattern of patterns) {
        for (const text of texts()) {
          pattern.matches(text);
          pattern.matchesIgnoringCase(text);
        }
      }
      expect(made).not.toHaveBeenCalled();
      // The control: one that was not walked through makes them.
      RE2JS.compile('/.*a.{6}').testExact('/abab');
      expect(made).toHaveBeenCalled();
    } finally {
      made.mockRestore();
    }
  });
});

function dfaPrototype(): { getState(...of: unknown[]): unknown } {
  return Object.getPrototypeOf(RE2JS.compile('a|b').re2Input.dfa);
}

/** Long ones of all printable characters, and such as make many states of `.*a.{6}`. */
function texts(): string[] {
  let seed = 1;
  const next = (): number => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff) >> 16;
  const random = (letters: string, length: number): string =>
    Array.from({ length }, () => letters[next() % letters.length]).join('');
  const printable = Array.from({ length: 94 }, (_, index) => String.fromCharCode(0x21 + index)).join('');
  return [
    '',
    '/',
    '/orders/01234567-89ab-cdef-0123-456789abcdef',
    '/reports/2026-01-01.csv',
    '/en/a-b/c.html',
    `/${random('ab', 3000)}`,
    `/${random('secrtinalp/', 3000)}`,
    `/${random(printable, 3000)}`,
    `/${random('-0123456789abcdef/', 3000)}`,
  ];
}

test('what was compiled is the same again, until all are forgotten', () => {
  const first = compile('/forgotten/[0-9]+');
  expect(compile('/forgotten/[0-9]+')).toBe(first);
  forgetRegularExpressions();
  expect(compile('/forgotten/[0-9]+')).not.toBe(first);
});
