import { expect, test } from 'vitest';
import { FrameReader } from '../../../src/grpc/http2/frame-reader.ts';
import { frame } from './support/raw-peer.ts';

const frames = [
  frame(0, 1, 3, Buffer.from('hello')),
  frame(4, 0, 0),
  frame(8, 255, 0x7fff_ffff, Buffer.of(1, 2, 3, 4)),
  frame(1, 4, 5, Buffer.alloc(300, 'h')),
];
const expected = ['0 1 3 hello', '4 0 0 ', '8 255 2147483647 \x01\x02\x03\x04', `1 4 5 ${'h'.repeat(300)}`];

/** What is read of the chunks: type, flags, stream and payload of each frame. */
function read(chunks: readonly Buffer[]): string[] {
  const reader = new FrameReader();
  const seen: string[] = [];
  for (const chunk of chunks) {
    reader.read(chunk, 0, 0, {
      frame: (type, flags, stream, bytes, start, end) =>
        void seen.push(`${type} ${flags} ${stream} ${bytes.toString('latin1', start, end)}`),
    });
  }
  return seen;
}

test('frames are found wherever the chunks begin and end', () => {
  const bytes = Buffer.concat(frames);
  expect(read([bytes])).toEqual(expected);
  expect(read([...bytes].map((byte) => Buffer.of(byte)))).toEqual(expected);
  for (let first = 0; first <= 60; first++) {
    for (const second of [first, first + 1, first + 9, bytes.length - 1]) {
      const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
      expect(read(chunks), `${first} ${second}`).toEqual(expected);
    }
  }
});

test('the highest bit of a stream id is nobody’s', () => {
  expect(read([frame(0, 0, 0x8000_0003)])).toEqual(['0 0 3 ']);
});

test('a frame that is too long is refused by its header, whole or not', () => {
  const long = frame(0, 0, 1, Buffer.alloc(16_385));
  expect(() => read([long.subarray(0, 9)])).toThrow('a frame is too long');
  expect(() => read([long.subarray(0, 3), long.subarray(3, 9)])).toThrow('a frame is too long');
  expect(read([frame(0, 0, 1, Buffer.alloc(16_384))])).toHaveLength(1);
});
