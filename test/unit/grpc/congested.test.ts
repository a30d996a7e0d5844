import { expect, test } from 'vitest';
import type { Http2Application } from '../../../src/grpc/http2/application.ts';
import { requestTimeoutMs } from '../../../src/grpc/http2/limits.ts';
import { Output } from '../../../src/grpc/http2/output.ts';
import { HeadReader } from '../../../src/grpc/http2/request-head.ts';
import { createServerLoad } from '../../../src/grpc/http2/server-load.ts';
import { Session } from '../../../src/grpc/http2/session.ts';
import { framesIn } from './support/differential/frames.ts';
import { callFields, frame, headers, settings } from './support/raw-peer.ts';

/** A session of which the peer reads or not, as the test says. */
function openSession() {
  const output = new Output();
  const resets: number[] = [];
  const link = {
    isCongested: false,
    write(bytes: Buffer): boolean {
      for (const { type, stream } of framesIn(bytes)) if (type === 3) resets.push(stream);
      return true;
    },
    wake: () => undefined,
    settingsAcknowledged: () => undefined,
    pingAcknowledged: () => undefined,
  };
  const application: Http2Application<undefined, undefined> = {
    readHead: () => undefined,
    open: () => undefined,
    data: () => undefined,
    cancelled: () => undefined,
    tick: () => undefined,
  };
  const parts = { application, output, headReader: new HeadReader(), load: createServerLoad() };
  const session = new Session<undefined, undefined>(parts, link, 0);
  const feed = (...frames: readonly Buffer[]): void => {
    for (const { type, flags, stream, payload } of framesIn(Buffer.concat(frames)))
      session.frame(type, flags, stream, payload, 0, payload.length);
    output.flush();
  };
  feed(settings());
  return { session, link, resets, feed, flush: () => output.flush() };
}

const late = requestTimeoutMs + 1;
/** HEADERS without END_HEADERS. */
const openBlock = frame(1, 0, 1, headers(1, callFields()).subarray(9));

test('a block of headers that cannot become whole because we do not read has its time when we do', () => {
  const { session, link, feed } = openSession();
  feed(openBlock);
  link.isCongested = true;
  session.tick(late);
  session.tick(3 * late);
  link.isCongested = false;
  session.resume(3 * late);
  session.tick(4 * late - 1);
  expect(() => session.tick(4 * late)).toThrow('a header block was not whole in time');
});

test('neither is a request reset that could not become whole', () => {
  const { session, link, resets, feed, flush } = openSession();
  feed(headers(1, callFields()));
  link.isCongested = true;
  session.tick(2 * late);
  link.isCongested = false;
  session.resume(2 * late);
  session.tick(3 * late - 1);
  flush();
  expect(resets).toEqual([]);
  // The control: it is, once it could have.
  session.tick(3 * late);
  flush();
  expect(resets).toEqual([1]);
});
