import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonLine } from '../../../src/std/json-line.ts';

/** Any text, what is no valid Unicode among it. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ maxLength: 5000 }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes)),
);

describe('a text as a JSON string', () => {
  test('is what JSON.stringify makes of it', () => {
    const line = new JsonLine();
    fc.assert(
      fc.property(anyText, (text) => {
        line.clear();
        line.quoted(text);
        expect(line.written().toString()).toBe(JSON.stringify(text));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    '',
    'plain',
    'a "quote"',
    'a \\',
    'two\nlines',
    '\u0000',
    '\u007f',
    'ü',
    '€',
    '😀',
    '\ud800',
    '\udfff\ud800',
  ])('%j', (text) => {
    const line = new JsonLine();
    line.quoted(text);
    expect(line.written().toString()).toBe(JSON.stringify(text));
  });
});

test('pieces stand behind one another, however long they are', () => {
  const line = new JsonLine();
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: 20 }), (texts) => {
      line.clear();
      line.ascii('{"first":true');
      for (const text of texts) line.member(',"text":', text);
      line.member(',"none":', undefined);
      line.ascii('}\n');
      const members = texts.map((text) => `,"text":${JSON.stringify(text)}`);
      expect(line.written().toString()).toBe(`{"first":true${members.join('')}}\n`);
    }),
    { numRuns: 500 },
  );
});
