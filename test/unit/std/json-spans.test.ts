import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countValues,
  elementsOf,
  endOfValue,
  hasMoreValues,
  membersOf,
  namedSpans,
  textIn,
  type Span,
} from '../../../src/std/json-spans.ts';

const written = (value: unknown, indent: number): Uint8Array => Buffer.from(JSON.stringify(value, undefined, indent));
const valueIn = (bytes: Uint8Array, span: Span): unknown => JSON.parse(textIn(bytes, span));
const json = fc.jsonValue({ stringUnit: 'binary' });

describe('the spans of a JSON text', () => {
  it('are those of its members and elements, whatever these are', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 20 }), json),
        fc.array(json),
        fc.nat(3),
        (object, list, indent) => {
          const inObject = written(object, indent);
          const members = [...membersOf(inObject, 0)].map(({ name, from }) => [
            name,
            valueIn(inObject, { from, to: endOfValue(inObject, from) }),
          ]);
          expect(members).toEqual(Object.entries(JSON.parse(JSON.stringify(object))));
          expect([...namedSpans(inObject, 0)].map((span) => [span.name, valueIn(inObject, span)])).toEqual(members);
          expect(endOfValue(inObject, 0)).toBe(inObject.length);
          const inList = written(list, indent);
          expect([...elementsOf(inList, 0)].map((span) => valueIn(inList, span))).toEqual(
            JSON.parse(JSON.stringify(list)),
          );
        },
      ),
    );
  });

  it('are none in what is no object or no list, and none of a text that ends too early', () => {
    expect([...membersOf(Buffer.from('[1]'), 0)]).toEqual([]);
    expect([...elementsOf(Buffer.from('{"a":1}'), 0)]).toEqual([]);
    for (const text of ['{"a":[1', '"abc', '{"a', '', '["a\\"'])
      expect(() => endOfValue(Buffer.from(text), 0)).toThrow(SyntaxError);
    expect(() => [...elementsOf(Buffer.from('[1,'), 0)]).toThrow(SyntaxError);
    expect(() => [...membersOf(Buffer.from('{"a" 1}'), 0)]).toThrow(SyntaxError);
  });

  it('may be told by whoever knows where a value ends', () => {
    const bytes = Buffer.from('{"a":[1,2],"b":3}');
    const members = membersOf(bytes, 0);
    expect(members.next().value).toEqual({ name: 'a', from: 5 });
    expect(members.next(10).value).toEqual({ name: 'b', from: 15 });
    expect(members.next().done).toBe(true);
  });

  it('are counted with what is in them, and not with what is in texts', () => {
    const bytes = Buffer.from('[{},{},"[,{,",[1,2]]');
    const span = { from: 0, to: bytes.length };
    expect([1, 2, 5, 20].map((max) => hasMoreValues(bytes, span, max))).toEqual([true, true, true, false]);
    expect([1, 2, 20].map((max) => countValues(bytes, span, max))).toEqual([2, 3, 9]);
  });
});
