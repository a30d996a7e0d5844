import { status } from '@grpc/grpc-js';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { requestsAround, startCounting } from './counting-server.ts';
import { allowed, checkRequest, decodeAnswer, sleep } from './envoy-fixtures.ts';
import { framed, openRaw, rawAnswer, rawCall } from './grpc-clients.ts';

const message = framed(checkRequest());
const gzip = { 'grpc-encoding': 'gzip' };
const clusterNames = ['outbound|9000||authz', 'policy/default', 'a b'];
/** More seconds than 32 bits can count in milliseconds. */
const longTimeout = '2147484S';
/** Node gives it once in a process, whichever test asks for it first. */
const firstWarning = new Promise<string>((resolve) => process.once('warning', ({ name }) => resolve(name)));

/** docs/grpc.md has both columns. */
describe('grpc-js answers by itself, otherwise than our own transport,', () => {
  const counting = (options = {}): ReturnType<typeof startCounting> => startCounting({ kind: 'grpc-js', ...options });

  test('a compressed message: it is read, and the answer is not compressed', async () => {
    const { session, asked } = await counting();
    const answer = await rawCall(session, framed(gzipSync(checkRequest()), 1), gzip);
    expect(answer.grpcStatus).toBe(0);
    expect(decodeAnswer(answer.message)).toEqual(allowed);
    expect(asked()).toBe(1);
  });

  test.each(['gzip', 'deflate'])(
    'a message that says it is compressed with %s and is not: INTERNAL',
    async (encoding) => {
      const { session, asked } = await counting();
      const answer = await rawCall(session, framed(checkRequest(), 1), {
        'grpc-encoding': encoding,
      });
      expect(answer).toMatchObject({ grpcStatus: status.INTERNAL });
      expect(asked()).toBe(0);
    },
  );

  test.each([{}, { 'grpc-encoding': 'identity' }])(
    'a message marked as compressed where the encoding is %j: it is read as it is, and decided',
    async (encoding) => {
      const { session, asked } = await counting();
      const answer = await rawCall(session, framed(checkRequest(), 1), encoding);
      expect(answer.grpcStatus).toBe(0);
      expect(decodeAnswer(answer.message)).toEqual(allowed);
      expect(asked()).toBe(1);
    },
  );

  test('a compressed message at the limit, which counts what it unpacks to: RESOURCE_EXHAUSTED above', async () => {
    const { session, asked } = await counting({ maxReceiveBytes: 65_536 });
    const [most, tooMuch] = requestsAround(65_536);
    expect((await rawCall(session, framed(gzipSync(most), 1), gzip)).grpcStatus).toBe(0);
    expect((await rawCall(session, framed(gzipSync(tooMuch), 1), gzip)).grpcStatus).toBe(status.RESOURCE_EXHAUSTED);
    const bomb = framed(gzipSync(checkRequest({ body: 'x'.repeat(10_000_000) })), 1);
    expect((await rawCall(session, bomb, gzip)).grpcStatus).toBe(status.RESOURCE_EXHAUSTED);
    expect(asked()).toBe(1);
  });

  describe('a grpc-timeout beyond 24 days, of which 32 bits are kept,', () => {
    test('ends at once where they are negative: DEADLINE_EXCEEDED for what is not answered by then', async () => {
      const { server, session } = await counting();
      const stream = openRaw(session, { 'grpc-timeout': longTimeout });
      const answer = rawAnswer(stream);
      await sleep(40);
      stream.end(message);
      expect(await answer).toMatchObject({
        http: 200,
        grpcStatus: status.DEADLINE_EXCEEDED,
      });
      expect(server.log.lines).toEqual([]);
    });

    test('and a decision that is there sooner is answered', async () => {
      const { session } = await counting();
      const statuses: unknown[] = [];
      // A busy machine may need longer than the millisecond that is left.
      for (let i = 0; i < 50 && !statuses.includes(0); i++) {
        statuses.push((await rawCall(session, message, { 'grpc-timeout': longTimeout })).grpcStatus);
      }
      expect(statuses.filter((one) => one !== status.DEADLINE_EXCEEDED)).toEqual([0]);
    });

    test('and Node says so on stderr, once in a process', async () => {
      const { session } = await counting();
      const answer = await rawCall(session, message, {
        'grpc-timeout': longTimeout,
      });
      expect(await firstWarning).toBe('TimeoutNegativeWarning');
      expect([0, status.DEADLINE_EXCEEDED]).toContain(answer.grpcStatus);
    });

    test('is another time where they are not: 49.7 days and 30 s are 30 s', async () => {
      const { session } = await counting();
      expect((await rawCall(session, message, { 'grpc-timeout': '4294997S' })).grpcStatus).toBe(0);
    });
  });

  test('a whole message with a piece of another behind it: the first is answered', async () => {
    const { session, asked } = await counting();
    expect((await rawCall(session, Buffer.concat([message, message.subarray(0, 7)]))).grpcStatus).toBe(0);
    expect(asked()).toBe(1);
  });

  test.each(clusterNames)('an :authority of %j: the stream is reset with PROTOCOL_ERROR', async (authority) => {
    const { session, asked } = await counting();
    expect(await rawCall(session, message, { ':authority': authority })).toMatchObject({ http: undefined, reset: 1 });
    expect(asked()).toBe(0);
    expect(
      (
        await rawCall(session, message, {
          ':authority': 'outbound_.9000_._.authz:9000',
        })
      ).grpcStatus,
    ).toBe(0);
  });
});

describe('our own transport answers by itself, otherwise than grpc-js,', () => {
  const counting = (): ReturnType<typeof startCounting> => startCounting({ kind: 'native' });

  test('a compressed message, of whatever length: UNIMPLEMENTED', async () => {
    const { session, asked } = await counting();
    for (const sent of [
      gzipSync(checkRequest()),
      checkRequest(),
      gzipSync(Buffer.alloc(10_000_000)),
      Buffer.alloc(0),
    ]) {
      expect((await rawCall(session, framed(sent, 1), gzip)).grpcStatus).toBe(status.UNIMPLEMENTED);
    }
    expect(asked()).toBe(0);
    expect((await rawCall(session, message, gzip)).grpcStatus).toBe(0);
  });

  test.each([{}, { 'grpc-encoding': 'identity' }])(
    'a compressed message where the encoding is %j: INTERNAL',
    async (encoding) => {
      const { session, asked } = await counting();
      expect((await rawCall(session, framed(checkRequest(), 1), encoding)).grpcStatus).toBe(status.INTERNAL);
      expect(asked()).toBe(0);
    },
  );

  test('a whole message with a piece of another behind it: UNIMPLEMENTED', async () => {
    const { session, asked } = await counting();
    const sent = Buffer.concat([message, message.subarray(0, 7)]);
    expect((await rawCall(session, sent)).grpcStatus).toBe(status.UNIMPLEMENTED);
    expect(asked()).toBe(0);
  });

  test.each([longTimeout, '99999999H'])('a grpc-timeout of %s: the call is served', async (timeout) => {
    const { session } = await counting();
    expect((await rawCall(session, message, { 'grpc-timeout': timeout })).grpcStatus).toBe(0);
  });

  test.each([...clusterNames, ''])('an :authority of %j: the call is served', async (authority) => {
    const { session } = await counting();
    expect((await rawCall(session, message, { ':authority': authority })).grpcStatus).toBe(0);
  });
});
