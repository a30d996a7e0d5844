import fc from 'fast-check';
import { connect } from 'node:http2';
import { duplexPair } from 'node:stream';
import { expect, test } from 'vitest';
import { HpackDecoder } from '../../../src/grpc/hpack/decoder.ts';
import { HeadDecoder } from '../../../src/grpc/http2/head-decoder.ts';
import { ConnectionError } from '../../../src/grpc/http2/protocol.ts';
import { HeadReader, type HeadProblem, type RequestHead } from '../../../src/grpc/http2/request-head.ts';
import { fuzz, fuzzTimeout } from '../../support/fuzz.ts';
import { framesIn, type SentFrame } from './support/differential/frames.ts';
import { createHpackModel, type Field, type FieldForm } from './support/hpack-model.ts';
import { frame, settings } from './support/raw-peer.ts';

const seconds = 1.7;
const timeout = fuzzTimeout(seconds);

const byteText = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));
/** Some count for 64 bytes, so that a table is full to the last one. */
const field: fc.Arbitrary<Field> = fc.tuple(
  fc.oneof(fc.constantFrom(':path', 'x', 'te', 'cookie', 'x-longer-name'), byteText(12)),
  fc.oneof(
    fc.constantFrom(
      '',
      '/',
      'trailers',
      'v'.repeat(31),
      'w'.repeat(31),
      'v'.repeat(27),
      'v'.repeat(1500),
      'w'.repeat(4060),
    ),
    byteText(40),
  ),
);
const form: fc.Arbitrary<FieldForm> = fc.record({
  form: fc.constantFrom('indexed', 'incremental', 'plain', 'never'),
  isNameIndexed: fc.boolean(),
  isHuffman: fc.boolean(),
});
/** What an encoder may say in one block: sizes of the table first, then fields. */
const block = fc.record({
  sizes: fc.array(fc.oneof(fc.constantFrom(0, 32, 63, 64, 65, 127, 128, 129, 4095, 4096), fc.nat(4096)), {
    maxLength: 3,
  }),
  fields: fc.array(fc.tuple(field, form), { maxLength: 8 }),
});
type Block = typeof block extends fc.Arbitrary<infer Value> ? Value : never;

/** The blocks as one encoder puts them, one after the other. */
function encoded(blocks: readonly Block[]): Buffer[] {
  const encoder = createHpackModel();
  return blocks.map(({ sizes, fields }) =>
    Buffer.concat([
      ...sizes.map((size) => encoder.resize(size)),
      ...fields.map(([one, how]) => encoder.write(one, how)),
    ]),
  );
}

/** The fields of a block; undefined where the decoder says that it is none. It may say so in one way alone. */
function read(decoder: HpackDecoder, bytes: Buffer): Field[] | undefined {
  const fields: Field[] = [];
  const around = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('behind')]);
  try {
    decoder.decode(around, 6, 6 + bytes.length, { field: ({ name, value }) => void fields.push([name, value]) });
    return fields;
  } catch (error) {
    if (error instanceof ConnectionError && error.code === 9) return undefined;
    throw error;
  }
}

const hex = (blocks: readonly Buffer[]): string => blocks.map((bytes) => bytes.toString('hex')).join('\n');

test('whatever an encoder does with its table and its size, ours follows it', timeout, async () => {
  await fuzz(
    fc.property(fc.array(block, { maxLength: 8 }), (blocks) => {
      const encoder = createHpackModel();
      const decoder = new HpackDecoder();
      for (const { sizes, fields } of blocks) {
        const bytes = [
          ...sizes.map((size) => encoder.resize(size)),
          ...fields.map(([one, how]) => encoder.write(one, how)),
        ];
        expect(read(decoder, Buffer.concat(bytes))).toEqual(fields.map(([one]) => one));
        // Every entry is there, at its place, and none behind the last one.
        const indexes = encoder.table.map((_entry, index) => Buffer.of(0xbe + index));
        expect(encoder.table.length).toBeLessThan(64);
        expect(read(decoder, Buffer.concat(indexes))).toEqual(encoder.table);
      }
      expect(read(decoder, Buffer.of(0xbe + encoder.table.length))).toBeUndefined();
    }),
    seconds,
    (blocks) => hex(encoded(blocks)),
  );
});

const edit = fc.record({ at: fc.nat(), taken: fc.nat(4), put: fc.uint8Array({ maxLength: 4 }) });
const broken = fc
  .tuple(
    fc.array(block, { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(fc.nat(), edit), { maxLength: 4 }),
    fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 2 }),
  )
  .map(([blocks, edits, more]) => {
    const all = encoded(blocks);
    for (const [which, { at, taken, put }] of edits) {
      const bytes = all[which % all.length] ?? Buffer.alloc(0);
      const from = at % (bytes.length + 1);
      all[which % all.length] = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + taken)]);
    }
    return [...all, ...more.map((bytes) => Buffer.from(bytes))];
  });

test('any bytes are refused, or read as RFC 7541 has them', timeout, async () => {
  let [refused, taken] = [0, 0];
  await fuzz(
    fc.property(broken, (blocks) => {
      const model = createHpackModel();
      const decoder = new HpackDecoder();
      for (const bytes of blocks) {
        const expected = model.read(bytes);
        expect(read(decoder, bytes)).toEqual(expected);
        if (expected === undefined) {
          refused++;
          return;
        }
        taken++;
      }
    }),
    seconds,
    hex,
  );
  expect(Math.min(refused, taken)).toBeGreaterThan(50);
});

test('a head that is remembered is the one that would be read', timeout, async () => {
  const head = fc.record({
    path: fc.constantFrom('/a', '/b'),
    type: fc.constantFrom('application/grpc', 'text/plain'),
    length: fc.constantFrom(undefined, '5'),
    more: fc.array(fc.tuple(field, form), { maxLength: 2 }),
    how: form,
    times: fc.integer({ min: 1, max: 3 }),
  });
  await fuzz(
    fc.property(fc.array(head, { maxLength: 12 }), (heads) => {
      const encoder = createHpackModel();
      const remembering = new HeadDecoder<RequestHead>(new HeadReader(), (one) => one);
      const [decoder, reader] = [new HpackDecoder(), new HeadReader()];
      for (const { path, type, length, more, how, times } of heads) {
        const usual: Field[] = [
          [':method', 'POST'],
          [':scheme', 'http'],
          [':path', path],
          ['content-type', type],
        ];
        const fields = length === undefined ? usual : [...usual, ['content-length', length] as const];
        for (let time = 0; time < times; time++) {
          const bytes = Buffer.concat([
            ...fields.map((one) => encoder.write(one, how)),
            ...more.map(([one, form]) => encoder.write(one, form)),
          ]);
          reader.begin('request');
          decoder.decode(bytes, 0, bytes.length, reader);
          const expected: RequestHead | HeadProblem = reader.finish();
          const told = remembering.request(bytes, 0, bytes.length);
          expect(typeof told === 'string' ? told : told.request).toEqual(expected);
        }
      }
    }),
    seconds,
    (heads) => JSON.stringify(heads),
  );
});

/** The frames of a client, behind its preface. */
class SentFrames {
  #rest = Buffer.alloc(0);
  #skip = 24;

  add(chunk: Buffer): readonly SentFrame[] {
    const skipped = Math.min(this.#skip, chunk.length);
    this.#skip -= skipped;
    this.#rest = Buffer.concat([this.#rest, chunk.subarray(skipped)]);
    const frames = framesIn(this.#rest);
    this.#rest = this.#rest.subarray(frames.at(-1)?.end ?? 0);
    return frames;
  }
}

test('what the encoder of node:http2 says with tables of any size is read', timeout, async () => {
  const name = fc.stringMatching(/^x-[a-z]{1,8}$/u);
  const value = fc.oneof(fc.constantFrom('same', 'v'.repeat(700)), fc.stringMatching(/^[!-~]{1,30}$/u));
  const request = fc.record({
    path: value.map((text) => `/${text}`),
    more: fc.uniqueArray(fc.tuple(name, value), { maxLength: 4, selector: ([one]) => one }),
    size: fc.option(fc.nat(4096), { nil: undefined, freq: 3 }),
  });
  await fuzz(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 12 }), async (requests) => {
      const decoder = new HpackDecoder();
      const [ours, theirs] = duplexPair();
      const seen: (Field[] | undefined)[] = [];
      const sent = new SentFrames();
      let wake = (): void => undefined;
      ours.on('data', (chunk: Buffer) => {
        for (const { type, flags, payload } of sent.add(chunk))
          if (type === 1) seen.push(read(decoder, payload.subarray((flags & 0x20) === 0 ? 0 : 5)));
        wake();
      });
      const session = connect('http://test', { createConnection: () => theirs });
      session.on('error', () => {});
      ours.write(settings([3, 1000]));
      for (const { path, more, size } of requests) {
        if (size !== undefined) {
          const told = new Promise((resolve) => void session.once('remoteSettings', resolve));
          ours.write(settings([1, size]));
          await told;
        }
        const before = seen.length;
        const stream = session.request({ ':path': path, ...Object.fromEntries(more) }, { endStream: true });
        stream.on('error', () => {});
        while (seen.length === before) await new Promise<void>((resolve) => void (wake = resolve));
        expect(seen.at(-1)).toEqual(expect.arrayContaining([[':path', path], ...more]));
        expect(seen.at(-1)).toHaveLength(4 + more.length);
      }
      ours.write(frame(7, 0, 0, Buffer.alloc(8)));
      session.destroy();
      ours.destroy();
    }),
    seconds,
    (requests) => JSON.stringify(requests),
  );
});
