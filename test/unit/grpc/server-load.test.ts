import { describe, expect, test } from 'vitest';
import type { Http2Application } from '../../../src/grpc/http2/application.ts';
import { maxPendingBytesInAll, maxStreamsInAll, maxStreamsWhenFull } from '../../../src/grpc/http2/limits.ts';
import { Output } from '../../../src/grpc/http2/output.ts';
import { HeadReader } from '../../../src/grpc/http2/request-head.ts';
import { createServerLoad, type ServerLoad } from '../../../src/grpc/http2/server-load.ts';
import { Session } from '../../../src/grpc/http2/session.ts';
import type { Http2Stream } from '../../../src/grpc/http2/stream.ts';
import { framesIn } from './support/differential/frames.ts';
import { callFields, data, headers, reset, settings } from './support/raw-peer.ts';

/** A session whose requests wait until the test answers them. */
function openSession(load: ServerLoad) {
  const output = new Output();
  const opened: Http2Stream<undefined>[] = [];
  const resets: (readonly [stream: number, code: number])[] = [];
  const application: Http2Application<undefined, undefined> = {
    readHead: () => undefined,
    open: (stream) => void opened.push(stream),
    data: () => undefined,
    cancelled: () => undefined,
    tick: () => undefined,
  };
  const session = new Session<undefined, undefined>(
    { application, output, headReader: new HeadReader(), load },
    {
      isCongested: false,
      write(bytes) {
        for (const { type, stream, payload } of framesIn(bytes))
          if (type === 3) resets.push([stream, payload.readUInt32BE(0)]);
        return true;
      },
      wake: () => undefined,
      settingsAcknowledged: () => undefined,
      pingAcknowledged: () => undefined,
    },
    0,
  );
  function feed(...frames: readonly Buffer[]): void {
    for (const { type, flags, stream, payload } of framesIn(Buffer.concat(frames)))
      session.frame(type, flags, stream, payload, 0, payload.length);
    output.flush();
  }
  feed(settings([4, 0]));
  return { session, opened, resets, feed, flush: () => output.flush() };
}

const request = (index: number): Buffer => headers(index * 2 + 1, callFields());
const [refusedStream, enhanceYourCalm] = [7, 11];

describe('a server that holds too much in all', () => {
  test('lets a connection have few streams, and many again once there is room', () => {
    const load = createServerLoad();
    load.streams = maxStreamsInAll;
    const { opened, resets, feed } = openSession(load);
    feed(...Array.from({ length: maxStreamsWhenFull + 2 }, (_request, i) => request(i)));
    expect(opened).toHaveLength(maxStreamsWhenFull);
    expect(resets).toEqual([
      [257, refusedStream],
      [259, refusedStream],
    ]);
    load.streams = maxStreamsWhenFull;
    feed(request(200));
    expect(opened).toHaveLength(maxStreamsWhenFull + 1);
  });

  test('holds no answer back any more, and sends those for which there is a window', () => {
    const load = createServerLoad();
    const { opened, resets, feed, flush } = openSession(load);
    load.heldBackBytes = maxPendingBytesInAll;
    feed(request(0), settings([4, 100]), request(1));
    const [first, second] = opened;
    first?.answer(Buffer.of(0x88), Buffer.alloc(200), Buffer.of(0x88));
    second?.answer(Buffer.of(0x88), Buffer.alloc(50), Buffer.of(0x88));
    flush();
    expect(resets).toContainEqual([1, enhanceYourCalm]);
    expect(resets).not.toContainEqual([3, enhanceYourCalm]);
    expect(load.heldBackBytes).toBe(maxPendingBytesInAll);
  });
});

test('whatever ends a stream, nothing of it is held any more', () => {
  const load = createServerLoad();
  const { session, opened, feed } = openSession(load);
  feed(...Array.from({ length: 5 }, (_request, i) => request(i)));
  for (const stream of opened) stream.answer(Buffer.of(0x88), Buffer.alloc(95), Buffer.of(0x88));
  expect(load).toEqual({ streams: 5, heldBackBytes: 500 });
  // Reset by the peer, sent, wrong, late; then the connection is gone.
  feed(reset(1), settings([4, 60]));
  expect(load).toEqual({ streams: 4, heldBackBytes: 160 });
  feed(settings([4, 100]));
  expect(load).toEqual({ streams: 0, heldBackBytes: 0 });
  feed(settings([4, 0]), request(5), request(6), request(7), data(13, Buffer.alloc(0), 1));
  for (const stream of opened.slice(5)) stream.answer(Buffer.of(0x88), Buffer.alloc(95), Buffer.of(0x88));
  feed(data(13, Buffer.of(1)));
  expect(load).toEqual({ streams: 2, heldBackBytes: 200 });
  session.tick(40_000);
  expect(load).toEqual({ streams: 0, heldBackBytes: 0 });
  feed(request(8), request(9));
  session.cancelAll();
  expect(load).toEqual({ streams: 0, heldBackBytes: 0 });
});
