import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WireWriter } from '../../../src/std/wire-writer.ts';

function written(write: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter();
  writer.begin();
  write(writer);
  return writer.finish();
}

test('fields stand in the reverse of the order in which they are written', () => {
  const bytes = written((writer) => {
    writer.text(0x12, 'b');
    writer.text(0x0a, 'a');
  });
  expect([...bytes]).toEqual([0x0a, 1, 0x61, 0x12, 1, 0x62]);
});

test('a message holds what was written since its end', () => {
  const bytes = written((writer) => {
    writer.text(0x1a, 'behind');
    const end = writer.written;
    writer.text(0x0a, 'in');
    writer.message(0x12, end);
  });
  expect(bytes).toEqual(
    Buffer.concat([Buffer.of(0x12, 4, 0x0a, 2), Buffer.from('in'), Buffer.of(0x1a, 6), Buffer.from('behind')]),
  );
});

test.each([
  [0, [0]],
  [1, [1]],
  [127, [0x7f]],
  [128, [0x80, 1]],
  [503, [0xf7, 3]],
  [16_383, [0xff, 0x7f]],
  [16_384, [0x80, 0x80, 1]],
  [2_097_152, [0x80, 0x80, 0x80, 1]],
  [2_147_483_647, [0xff, 0xff, 0xff, 0xff, 7]],
])('the number %i is written in base 128', (value, bytes) => {
  expect([...written((writer) => writer.number(0x08, value))]).toEqual([0x08, ...bytes]);
});

test('texts are UTF-8 behind their length in bytes, however long they are', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.string({ unit: 'binary-ascii', maxLength: 200 }),
    fc.nat({ max: 9000 }).map((length) => 'ä'.repeat(length)),
  );
  const writer = new WireWriter();
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 4 }), (values) => {
      writer.begin();
      for (const value of values.toReversed()) writer.bare(value);
      expect(writer.finish().toString('utf8')).toBe(values.join(''));
      writer.begin();
      for (const value of values) writer.text(0x0a, value);
      expect(writer.finish().length).toBe(writer.written);
    }),
  );
});

test('what was begun and not finished is gone, and what is finished stays as it is', () => {
  const writer = new WireWriter();
  writer.begin();
  writer.text(0x0a, 'first');
  const first = writer.finish();
  writer.begin();
  writer.text(0x0a, 'given up');
  writer.begin();
  writer.text(0x0a, 'x'.repeat(10_000));
  expect(writer.finish().length).toBe(10_003);
  expect(first.toString('latin1')).toBe('\n\u0005first');
});
