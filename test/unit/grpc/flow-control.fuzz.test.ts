import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connectionWindow, streamWindow } from '../../../src/grpc/http2/limits.ts';
import { Output } from '../../../src/grpc/http2/output.ts';
import { HeadReader } from '../../../src/grpc/http2/request-head.ts';
import { Sender, type Pending, type SenderHost } from '../../../src/grpc/http2/sender.ts';
import { createServerLoad } from '../../../src/grpc/http2/server-load.ts';
import { Session } from '../../../src/grpc/http2/session.ts';
import { fuzz, fuzzTimeout } from '../../support/fuzz.ts';
import { framesIn } from './support/differential/frames.ts';
import { callFields, data, headers, prefixed, settings } from './support/raw-peer.ts';

const seconds = 3;
const timeout = fuzzTimeout(seconds);

const size = fc.oneof(fc.nat(20), fc.nat(40_000), fc.constantFrom(0, 16_379, 16_380, 65_530));
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), bytes: size }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('begin' as const),
      messages: fc.array(size, { maxLength: 3 }),
      isEnded: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('open connection' as const), by: fc.integer({ min: 1, max: 60_000 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('open stream' as const),
      which: fc.nat(),
      by: fc.integer({ min: 1, max: 60_000 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('initial window' as const),
      value: fc.oneof(fc.nat(50), fc.nat(100_000)),
    }),
  },
  fc.record({ kind: fc.constant('congestion' as const) }),
  fc.record({ kind: fc.constant('forget' as const), which: fc.nat() }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

interface Told {
  readonly id: number;
  sendWindow: number;
  pending: Pending | undefined;
  /** What the peer allows, as the peer counts. */
  window: number;
  /** What is to come, and what has come. */
  expected: Buffer;
  received: Buffer;
  hasEnd: boolean;
  isEnded: boolean;
  isForgotten: boolean;
}

/** A sender and its peer, who counts for itself. */
function createPair() {
  const output = new Output();
  const streams: Told[] = [];
  const load = createServerLoad();
  let [window, initial, isCongested] = [65_535, 65_535, false];
  const receive = (bytes: Buffer): void => {
    for (const { type, flags, stream: id, payload } of framesIn(bytes)) {
      const stream = streams.find((one) => one.id === id);
      if (stream === undefined) throw new Error('a frame is for no stream');
      expect(stream.isEnded || stream.isForgotten).toBe(false);
      if (type === 0) {
        expect(payload.length).toBeLessThanOrEqual(16_384);
        window -= payload.length;
        stream.window -= payload.length;
        // Never more than both allow.
        if (payload.length > 0) expect(Math.min(window, stream.window)).toBeGreaterThanOrEqual(0);
        stream.received = Buffer.concat([stream.received, payload]);
      }
      if ((flags & 1) !== 0) stream.isEnded = true;
    }
  };
  const host: SenderHost<Told> = {
    now: 0,
    get isCongested() {
      return isCongested;
    },
    write: (bytes) => (receive(bytes), true),
    sent: () => undefined,
    overflowed: () => expect.unreachable('so much is never kept here'),
  };
  const sender = new Sender<Told>(output, host, load);
  const [head, trailers] = [Buffer.of(0x88), Buffer.of(0x89)];
  let fill = 0;
  function open(): Told {
    const stream: Told = {
      id: streams.length * 2 + 1,
      sendWindow: sender.initialWindow,
      pending: undefined,
      window: initial,
      expected: Buffer.alloc(0),
      received: Buffer.alloc(0),
      hasEnd: false,
      isEnded: false,
      isForgotten: false,
    };
    streams.push(stream);
    return stream;
  }
  function messageFor(stream: Told, bytes: number): Buffer {
    const message = Buffer.alloc(bytes, ++fill & 0xff);
    stream.expected = Buffer.concat([stream.expected, prefixed(message)]);
    return message;
  }
  const living = (which: number): Told | undefined => {
    const all = streams.filter(({ isEnded, isForgotten }) => !isEnded && !isForgotten);
    return all[which % Math.max(1, all.length)];
  };

  function take(one: Step): void {
    switch (one.kind) {
      case 'answer': {
        const stream = open();
        stream.hasEnd = true;
        sender.answer(stream, head, messageFor(stream, one.bytes), trailers);
        return;
      }
      case 'begin': {
        const stream = open();
        sender.head(stream, head, false);
        for (const bytes of one.messages) sender.message(stream, messageFor(stream, bytes));
        stream.hasEnd = one.isEnded;
        if (one.isEnded) sender.end(stream, trailers);
        return;
      }
      case 'open connection':
        window += one.by;
        sender.openConnection(one.by);
        return;
      case 'open stream': {
        const stream = living(one.which);
        if (stream === undefined) return;
        stream.window += one.by;
        expect(sender.openStream(stream, one.by)).toBe(true);
        return;
      }
      case 'initial window':
        for (const stream of streams) stream.window += one.value - initial;
        initial = one.value;
        sender.setInitialWindow(
          one.value,
          streams.filter(({ isEnded, isForgotten }) => !isEnded && !isForgotten),
        );
        sender.resume();
        return;
      case 'congestion':
        isCongested = !isCongested;
        if (!isCongested) sender.resume();
        return;
      case 'forget': {
        const stream = living(one.which);
        if (stream === undefined) return;
        output.flush();
        stream.isForgotten = true;
        sender.forget(stream);
      }
    }
  }

  return {
    take,
    /** All that may be sent was sent, and what was sent is the beginning of what should be. */
    check(): void {
      output.flush();
      for (const stream of streams) {
        if (stream.isForgotten) continue;
        expect(stream.received.equals(stream.expected.subarray(0, stream.received.length))).toBe(true);
        const isWhole = stream.received.length === stream.expected.length;
        expect(stream.isEnded).toBe(isWhole && stream.hasEnd);
        if (!isWhole && !isCongested) expect(Math.min(window, stream.window)).toBeLessThanOrEqual(0);
        if (!stream.isEnded) expect(stream.sendWindow).toBe(stream.window);
      }
      const held = streams.reduce((sum, { pending }) => sum + (pending?.bytes ?? 0), 0);
      expect(load.heldBackBytes).toBe(held);
      const waiting = streams.filter(({ pending }) => pending !== undefined);
      expect(new Set(sender.blocked)).toEqual(new Set(waiting));
    },
    openAll(): void {
      if (isCongested) take({ kind: 'congestion' });
      take({ kind: 'open connection', by: 1_000_000_000 });
      for (const [which] of streams.entries()) take({ kind: 'open stream', which, by: 100_000_000 });
      take({ kind: 'initial window', value: 1_000_000_000 });
    },
  };
}

test('answers are sent as far as the windows allow, never further, and none is lost', timeout, async () => {
  await fuzz(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const pair = createPair();
      for (const one of steps) {
        pair.take(one);
        pair.check();
      }
      pair.openAll();
      pair.check();
    }),
    seconds,
    (steps) => steps.map((one) => JSON.stringify(one)).join('\n'),
  );
});

/** What is given back to a peer that sends all that it may, in frames of any size. */
test('who keeps to our windows can always send on, and is never given more than we said', timeout, async () => {
  const frames = fc.array(fc.tuple(fc.nat(3), fc.oneof(fc.nat(100), fc.constant(16_384)), fc.nat(255), fc.nat(300)), {
    maxLength: 30,
  });
  await fuzz(
    fc.property(frames, (all) => {
      const output = new Output();
      let connection = connectionWindow;
      const windows = new Map([1, 3, 5, 7].map((id) => [id, streamWindow]));
      const session = new Session<undefined, undefined>(
        {
          application: {
            readHead: () => undefined,
            open: () => undefined,
            data: () => undefined,
            cancelled: () => undefined,
            tick: () => undefined,
          },
          output,
          headReader: new HeadReader(),
          load: createServerLoad(),
        },
        {
          isCongested: false,
          write(bytes) {
            for (const { type, stream, payload } of framesIn(bytes)) {
              if (type !== 8) continue;
              if (stream === 0) connection += payload.readUInt32BE(0);
              else windows.set(stream, (windows.get(stream) ?? 0) + payload.readUInt32BE(0));
            }
            return true;
          },
          wake: () => undefined,
          settingsAcknowledged: () => undefined,
          pingAcknowledged: () => undefined,
        },
        0,
      );
      const feed = (bytes: Buffer): void => {
        for (const { type, flags, stream, payload } of framesIn(bytes))
          session.frame(type, flags, stream, payload, 0, payload.length);
        output.flush();
      };
      feed(Buffer.concat([settings(), ...[1, 3, 5, 7].map((id) => headers(id, callFields()))]));
      for (const [which, length, padding, times] of all) {
        const id = which * 2 + 1;
        const padded = padding < length ? Buffer.concat([Buffer.of(padding), Buffer.alloc(length - 1)]) : undefined;
        for (let time = 0; time < times; time++) {
          feed(padded === undefined ? data(id, Buffer.alloc(length)) : data(id, padded, 8));
          connection -= length;
          windows.set(id, (windows.get(id) ?? 0) - length);
          expect(connection).toBeLessThanOrEqual(connectionWindow);
          expect(connection).toBeGreaterThan(connectionWindow / 2 - 16_385);
          expect(windows.get(id)).toBeLessThanOrEqual(streamWindow);
          expect(windows.get(id)).toBeGreaterThan(streamWindow / 2 - 16_385);
        }
      }
    }),
    seconds,
    (all) => JSON.stringify(all),
  );
});
