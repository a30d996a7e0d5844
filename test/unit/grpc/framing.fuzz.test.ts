import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameReader } from '../../../src/grpc/http2/frame-reader.ts';
import { ConnectionError } from '../../../src/grpc/http2/protocol.ts';
import { Http2Stream, type StreamHost } from '../../../src/grpc/http2/stream.ts';
import { createGrpcApplication } from '../../../src/grpc/grpc-application.ts';
import { createMessageBudgets } from '../../../src/grpc/message-budget.ts';
import { createOpenStreams } from '../../../src/grpc/open-streams.ts';
import type { GrpcCall } from '../../../src/grpc/grpc-call.ts';
import { realClock, recordingLog } from '../envoy/envoy-fixtures.ts';
import { fuzz, fuzzTimeout } from '../../support/fuzz.ts';
import { frame, prefixed } from './support/raw-peer.ts';
import { createHpackModel } from './support/hpack-model.ts';

const seconds = 2.5;
const timeout = fuzzTimeout(seconds);

/** The bytes in pieces; empty ones are among them. */
function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

/** The frames that are told, and how it ended. */
function readFrames(chunks: readonly Buffer[]): string[] {
  const reader = new FrameReader();
  const told: string[] = [];
  try {
    for (const chunk of chunks) {
      reader.read(chunk, 0, 0, {
        frame: (type, flags, stream, bytes, start, end) =>
          void told.push(`${type} ${flags} ${stream} ${bytes.toString('hex', start, end)}`),
      });
    }
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    told.push(`error ${error.code}`);
  }
  return told;
}

/** The same, byte for byte out of the standard. */
function expectedFrames(bytes: Buffer): string[] {
  const told: string[] = [];
  for (let at = 0; bytes.length - at >= 9;) {
    const length = bytes.readUIntBE(at, 3);
    if (length > 16_384) return [...told, 'error 6'];
    if (at + 9 + length > bytes.length) break;
    told.push(
      `${bytes[at + 3]} ${bytes[at + 4]} ${bytes.readUInt32BE(at + 5) % 2 ** 31} ${bytes.toString('hex', at + 9, at + 9 + length)}`,
    );
    at += 9 + length;
  }
  return told;
}

test('frames are the same wherever what came is cut', timeout, async () => {
  const one = fc
    .tuple(
      fc.nat(255),
      fc.nat(255),
      fc.nat(0xffff_ffff),
      fc.oneof(
        { weight: 9, arbitrary: fc.uint8Array({ maxLength: 40 }) },
        fc.constantFrom(16_384, 16_385).map((length) => new Uint8Array(length)),
      ),
    )
    .map(([type, flags, stream, payload]) => frame(type, flags, stream, payload));
  const bytes = fc
    .tuple(fc.array(one, { maxLength: 6 }), fc.uint8Array({ maxLength: 12 }))
    .map(([frames, rest]) => Buffer.concat([...frames, rest]));
  await fuzz(
    fc.property(fc.tuple(bytes, fc.array(fc.nat(), { maxLength: 12 })), ([all, cuts]) => {
      const expected = expectedFrames(all);
      expect(readFrames(cutAt(all, cuts))).toEqual(expected);
      if (all.length < 200) expect(readFrames([...all].map((byte) => Buffer.of(byte)))).toEqual(expected);
    }),
    seconds,
    ([all]) => all.toString('hex'),
  );
});

const maxReceiveBytes = 600;
const messages: Buffer[] = [];
const connectionBudget = createMessageBudgets(maxReceiveBytes);

/** What one call makes of a body that comes so: the message that its method got, or the status of its failure. */
function callWith(pieces: readonly Buffer[], end: 'with the last piece' | 'behind it'): string {
  const answers: Buffer[] = [];
  const host: StreamHost<GrpcCall> = {
    now: 0,
    abandoned: 0,
    waiting: 0,
    sendAnswer: (stream) => void (stream.isOpen = false),
    sendHead(stream, head) {
      answers.push(Buffer.from(head));
      stream.isOpen = false;
    },
    sendMessage: () => undefined,
    sendEnd: () => undefined,
    resetStream: () => undefined,
  };
  const methods = new Map([
    [
      '/m',
      {
        kind: 'unary' as const,
        fallback: undefined,
        answer: (request: Uint8Array) => (messages.push(Buffer.from(request)), request),
      },
    ],
  ]);
  const budget = connectionBudget();
  const application = createGrpcApplication(methods, {
    clock: realClock,
    log: recordingLog(),
    maxReceiveBytes,
    budget,
    openStreams: createOpenStreams(),
    peer: { count: 0, bytes: 0 },
  });
  const stream = new Http2Stream<GrpcCall>(1, host, 65_535, undefined);
  const head = application.readHead({
    method: 'POST',
    path: '/m',
    contentType: 'application/grpc',
    contentLength: undefined,
    grpcTimeout: undefined,
    grpcEncoding: 'gzip',
  });
  messages.length = 0;
  application.open(stream, head, false);
  const around = Buffer.from('around');
  pieces.forEach((piece, index) => {
    // What is over hears of nothing: its connection has forgotten it.
    const isLast = end === 'with the last piece' && index === pieces.length - 1;
    const bytes = Buffer.concat([around, piece, around]);
    if (stream.isOpen) application.data(stream, bytes, around.length, around.length + piece.length, isLast);
    // A view of what has come is valid during the call alone.
    if (!isLast) bytes.fill(0xee);
  });
  if (stream.isOpen) application.data(stream, around, 0, 0, true);
  expect(stream.isOpen).toBe(false);
  // Whatever happened, all memory is given back.
  const most = Math.max(8 * maxReceiveBytes, 64 * 1024 * 1024);
  const all = { giveUp: () => undefined };
  expect(budget.take(most, all)).toBe(true);
  budget.give(most);
  budget.finished(all);
  const [answer] = answers;
  if (answer === undefined) return `message ${messages.map((one) => one.toString('hex')).join(' and ')}`;
  return `failure ${
    createHpackModel()
      .read(answer)
      ?.find(([name]) => name === 'grpc-status')?.[1] ?? ''
  }`;
}

function expectedOf(body: Buffer): string {
  if (body.length >= 5 && body[0] !== 0) return 'failure 12';
  if (body.length >= 5 && body.readUInt32BE(1) > maxReceiveBytes) return 'failure 8';
  if (body.length < 5 || body.length - 5 !== body.readUInt32BE(1)) return 'failure 12';
  return `message ${body.toString('hex', 5)}`;
}

test('a message is the same however its bytes are cut into DATA', timeout, async () => {
  const message = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 590, maxLength: 610 }));
  const body = fc.oneof(
    { weight: 4, arbitrary: message.map((bytes) => prefixed(bytes)) },
    fc.tuple(message, fc.nat(2)).map(([bytes, flag]) => prefixed(bytes, flag)),
    fc.tuple(message, fc.nat()).map(([bytes, cut]) => prefixed(bytes).subarray(0, cut % (bytes.length + 6))),
    fc.tuple(message, fc.uint8Array({ maxLength: 9 })).map(([bytes, more]) => Buffer.concat([prefixed(bytes), more])),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  );
  const end = fc.constantFrom('with the last piece' as const, 'behind it' as const);
  await fuzz(
    fc.property(fc.tuple(body, fc.array(fc.nat(), { maxLength: 8 }), end), ([bytes, cuts, where]) => {
      expect(callWith(cutAt(bytes, cuts), where)).toBe(expectedOf(bytes));
      if (bytes.length < 60)
        expect(
          callWith(
            [...bytes].map((byte) => Buffer.of(byte)),
            where,
          ),
        ).toBe(expectedOf(bytes));
    }),
    seconds,
    ([bytes]) => bytes.toString('hex'),
  );
});
