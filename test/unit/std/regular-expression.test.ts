import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RE2JS } from 're2js';
import { describe, expect, test, vi } from 'vitest';
import {
  compileRegularExpression,
  regularExpressionInSteps,
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

  test.each([
    '/(?i)stra[sß]e',
    '/[^/]+k',
    '/\\pL+\\d*',
    '/[\\pL\\pN\\pP\\pS]{3}',
    '/[^\\PL\\x00-\\x7f]{2,3}',
    '/.\\b.+',
    '/\\B..',
    '/(?m)a$.?^b?',
    '/(?s).*b',
    '/x|/y|',
    '^/a(b|c)*$',
    '/plain',
    '/[\\x{10000}-\\x{1ffff}]',
  ])('%s takes of all texts those that RE2 takes', (pattern) => {
    const compiled = compile(pattern);
    const [exact, folded] = [RE2JS.compile(pattern), RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE)];
    for (const text of unusual()) {
      const isPrintable = /^[\x21-\x7e]*$/.test(text);
      expect([text, compiled.matches(text)]).toEqual([text, isPrintable && exact.testExact(text)]);
      expect([text, compiled.matchesIgnoringCase(text)]).toEqual([text, folded.testExact(text)]);
    }
  });

  test('with classes of Unicode holds a table, and nothing of what it was made of', () => {
    const heap = v8Heap();
    const before = heap();
    const kept = Array.from({ length: 20 }, (_, i) => compile(`/t${i}[\\pL\\pN\\pP\\pS]{20}`));
    expect(heap() - before).toBeLessThan(20 * 60_000);
    expect(kept.every(({ work }) => work > 10_000 && work < 100_000)).toBe(true);
  });

  test('is made in steps, so that none takes long', () => {
    const steps = (pattern: string): number => {
      const work = regularExpressionInSteps(pattern);
      for (let count = 0; ; count++) if (work.next().done === true) return count;
    };
    expect(steps('/steps/.*a.{8}')).toBeGreaterThan(10);
    // The control: what somebody has is there.
    expect(steps('/steps/.*a.{8}')).toBe(0);
    expect(steps('/steps/[a-z]+')).toBeLessThan(4);
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

/** Bytes of what is in use. */
function v8Heap(): () => number {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  return () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
}

/** Of characters of all kinds, some with several cases, some beyond 16 bits. */
function unusual(): string[] {
  const letters = [
    'a',
    'B',
    'k',
    's',
    '/',
    '_',
    '-',
    '7',
    'ß',
    'ſ',
    'K',
    'é',
    '\u0660',
    ' ',
    '\n',
    '\u{10400}',
    '\u{1f600}',
    '\ud800',
  ];
  const pairs = letters.flatMap((one) => letters.map((other) => one + other));
  const whole = ['', '/', '/plain', '/PLAIN', '/straße', '/STRASE', '/x', '/y', '/abcbc', '/ABC', '/a\nb', '/a\n'];
  return [
    ...whole,
    ...letters.map((one) => `/${one}`),
    ...pairs.map((pair) => `/${pair}`),
    ...pairs.map((pair) => `/a${pair}`),
  ];
}

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
