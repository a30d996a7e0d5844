import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalizePath, foldPath } from '../../../src/canonical/path.ts';

/** The refusals by request are rows of test/decisions/paths.yaml. */
describe('canonicalizePath', () => {
  test.each([
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a/', '/a/'],
    ['/%61%2D%2e%5F%7Eb', '/a-._~b'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/a%20b', '/a%20b'],
    ['/a"<>^`{|}', '/a%22%3C%3E%5E%60%7B%7C%7D'],
    ["/!$&'()*+,=:@", "/!$&'()*+,=:@"],
  ])('reads %s as %s', (raw, path) => {
    expect(canonicalizePath(raw)).toMatchObject({ kind: 'path', path });
  });

  test('takes parameters off every segment, encoded ones too', () => {
    expect(canonicalizePath('/a;x=1/b%3By/c')).toMatchObject({ path: '/a;x=1/b%3By/c', withoutParameters: '/a/b/c' });
  });

  test('names the encoded octets that need permission', () => {
    expect(canonicalizePath('/a%2fb%3fc')).toMatchObject({ encodedReserved: ['%2F', '%3F'] });
  });

  test.each([
    '', 'a', '//', '/a//b', '/.', '/..', '/a/./b', '/a/..', '/%2e', '/a/.%2E/b', '/..;x', '/..%3bx', '/;x', '/a/;/b',
    '/a\\b', '/a%5cb', '/a#b', '/a?b', '/a b', '/a\tb', '/a\u0000', '/a\u007f', '/é', '/%', '/%4', '/%zz', '/%00', '/%1F', '/%7f',
    '/%80', '/%c0%af', '/%ed%a0%80', '/%f8%88%80%80%80', '/%c2%80', '/a/..%2fb', '/a;b%2fc', '/a/b%3bc%2Fd', '/%2f', '/a%2F%2Fb', '/%252e', '/%25252f', '/%255c', '/%2500',
  ])('refuses %j', (raw) => {
    expect(canonicalizePath(raw).kind).toBe('refusal');
  }); // prettier-ignore

  test.each([[';'], ['%3B'], ['%25'], ['a;'], ['%C3'], [';%2'], ['%2F;']])(
    'reads a long row of %j in linear time',
    (part) => {
      const started = performance.now();
      canonicalizePath(`/a${part.repeat(60_000)}`);
      expect(performance.now() - started).toBeLessThan(1_000);
    },
  );
  test.each([
    ['parameters', ';'],
    ['encoded parameters', '%3B'],
    ['encoded percents', '%25'],
    ['dots', '.;'],
    ['encoded slashes', 'a%2F'],
    ['characters of four bytes', '%F0%9F%98%80'],
  ])('reads 60,000 characters of %s in less than 50 ms', (_, piece) => {
    const raw = `/a${piece.repeat(60_000 / piece.length)}`;
    const start = performance.now();
    canonicalizePath(raw);
    expect(performance.now() - start).toBeLessThan(50);
  });

  test('a plain path is refused for an empty segment before others and for dots alone, and for nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('/', '/', '.', '.', 'a', '-'), maxLength: 12 }), (text) => {
        const raw = `/${text}`;
        const segments = raw.split('/').slice(1);
        const isOdd = segments.some(
          (segment, i) => segment === '.' || segment === '..' || (segment === '' && i < segments.length - 1),
        );
        expect(canonicalizePath(raw).kind).toBe(isOdd ? 'refusal' : 'path');
      }),
      { numRuns: 3000 },
    );
  });

  test('never throws, and its answer is its own canonical form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const read = canonicalizePath(`/${text}`);
        if (read.kind === 'refusal') return;
        expect(canonicalizePath(read.path)).toEqual(read);
        expect(read.path).toMatch(/^\/[\x21-\x7e]*$/);
      }),
      { numRuns: 2000 },
    );
  });

  test('no accepted path hides a dot segment from a decoder, however often it decodes', () => {
    const piece = fc.constantFrom('.', '..', '%2e', '%2E', '/', '%2f', '%25', '2e', '2f', ';', '%3b', 'a', '%5c', '\\');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const read = canonicalizePath(`/${pieces.join('')}`);
        if (read.kind === 'refusal') return;
        let decoded = read.path;
        for (let i = 0; i < 4; i++) {
          decoded = decoded.replaceAll(/%([0-7][0-9A-Fa-f])/g, (_, hex: string) =>
            String.fromCharCode(Number.parseInt(hex, 16)),
          );
          expect(decoded.replaceAll(/;[^/]*/g, '').split('/')).not.toContain('..');
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('foldPath', () => {
  test.each([
    ['/', '/'],
    ['/Admin/', '/admin'],
    ['/m%40il', '/m@il'],
    ['/a;x/B;y', '/a/b'],
    ['/a%2Fb', '/a/b'],
    ['/CAF%C3%89', '/café'],
    ['/%2541dmin', '/admin'],
    ['/%252541dmin', '/admin'],
    ['/caf%25C3%25A9', '/café'],
    ['/50%25', '/50%'],
  ])('folds %s to %s', (path, folded) => {
    expect(foldPath(path)).toBe(folded);
  });
});
