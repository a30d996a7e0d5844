import { describe, expect, test } from 'vitest';
import { RpcFailure } from '../../../src/grpc/transport.ts';
import { startNative } from './support/native-server.ts';
import {
  call,
  callFields,
  data,
  frame,
  headers,
  openPeer,
  prefixed,
  reset,
  settings,
  uint32,
  type RawPeer,
} from './support/raw-peer.ts';
import { createBlockReader } from './support/read-block.ts';

const [dataType, headersType, rst] = [0, 1, 3];
const endStream = 1;
const endHeaders = 4;

/** What the peer got on the stream once it was over: each block as text, each message, the code of a reset. */
async function answerOf(peer: RawPeer, id: number): Promise<string[]> {
  await peer.find(({ type, stream, flags }) => stream === id && (type === rst || (flags & endStream) !== 0));
  await peer.settle();
  const read = createBlockReader();
  return peer.frames.flatMap(({ type, stream, payload }) => {
    if (stream !== id) return [];
    if (type === headersType)
      return [
        read(payload)
          .map((field) => field.join(': '))
          .join(', '),
      ];
    if (type === dataType) return [`message ${payload.subarray(5).toString('latin1')}`];
    return type === rst ? [`reset ${payload.readUInt32BE(0)}`] : [];
  });
}

const head = ':status: 200, content-type: application/grpc';
const ok = [head, 'message hello', 'grpc-status: 0'];
const failed = (status: number, message: string): string => `${head}, grpc-status: ${status}, grpc-message: ${message}`;

describe('a unary call', () => {
  test('is answered in one write with all others that came with it', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    const chunks: number[] = [];
    peer.socket.on('data', (chunk: Buffer) => void chunks.push(chunk.length));
    peer.send(...Array.from({ length: 100 }, (_call, i) => call(i * 2 + 1)));
    expect(await answerOf(peer, 199)).toEqual(ok);
    for (const id of [1, 99]) expect(await answerOf(peer, id)).toEqual(ok);
    // One write for them; loopback hands on what was written together.
    expect(chunks[0]).toBeGreaterThan(100 * 60);
    expect(server.asked).toHaveLength(100);
  });

  test('may be answered later, in any order, and what is answered at once leaves together', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(...[1, 3, 5].map((id) => call(id, Buffer.alloc(0), '/test.Test/Later')), call(7));
    expect(await answerOf(peer, 7)).toEqual(ok);
    expect(server.waiting).toHaveLength(3);
    for (const answer of server.waiting.toReversed()) answer(Buffer.from('hello'));
    for (const id of [1, 3, 5]) expect(await answerOf(peer, id)).toEqual(ok);
    const order = peer.frames.filter(({ type }) => type === dataType).map(({ stream }) => stream);
    expect(order).toEqual([7, 5, 3, 1]);
  });

  test.each<[string, Record<string, string | undefined>, string]>([
    ['of another method of HTTP', { ':method': 'GET' }, ':status: 405, allow: POST'],
    ['of CONNECT', { ':method': 'CONNECT', ':path': undefined, ':scheme': undefined }, ':status: 405, allow: POST'],
    ['without a content type', { 'content-type': undefined }, ':status: 415'],
    ['of another content type', { 'content-type': 'application/grpc-web' }, ':status: 415'],
    ['of an unknown path', { ':path': '/test.Test/None' }, failed(12, 'The method is unknown.')],
    ['of a path without its slash', { ':path': 'test.Test/Echo' }, failed(12, 'The method is unknown.')],
    ['of a path with a query', { ':path': '/test.Test/Echo?x' }, failed(12, 'The method is unknown.')],
    ['with a timeout that is none', { 'grpc-timeout': '1 day' }, failed(13, 'The grpc-timeout is none.')],
  ])('%s is refused before its body is there', async (_title, more, expected) => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(headers(1, callFields(more)));
    expect(await answerOf(peer, 1)).toEqual([expected, 'reset 0']);
    peer.send(data(1, prefixed(Buffer.from('late')), endStream), call(3));
    expect(await answerOf(peer, 3)).toEqual(ok);
    expect(server.asked).toEqual(['hello']);
  });

  test.each(['application/grpc', 'application/grpc+proto', 'application/grpc;charset=utf-8'])(
    'of the content type %s is served',
    async (type) => {
      const server = await startNative();
      const peer = await openPeer(server.address);
      peer.send(headers(1, callFields({ 'content-type': type })), data(1, prefixed(Buffer.from('hello')), endStream));
      expect(await answerOf(peer, 1)).toEqual(ok);
    },
  );

  test.each<[string, Buffer, string]>([
    ['none', Buffer.alloc(0), failed(12, 'The method takes one whole message.')],
    ['half', prefixed(Buffer.from('hello')).subarray(0, 7), failed(12, 'The method takes one whole message.')],
    [
      'two',
      Buffer.concat([prefixed(Buffer.of(1)), prefixed(Buffer.of(2))]),
      failed(12, 'The method takes one whole message.'),
    ],
    ['a long one', prefixed(Buffer.alloc(2000)), failed(8, 'The message is longer than what is received.')],
    [
      'a compressed one',
      prefixed(Buffer.of(1), 1),
      failed(13, 'The message is compressed, and grpc-encoding does not say how.'),
    ],
  ])('of %s instead of one message is refused', async (_title, bytes, expected) => {
    const server = await startNative({ maxReceiveBytes: 1000 });
    const peer = await openPeer(server.address);
    const begin = (id: number): Buffer => headers(id, callFields());
    peer.send(begin(1), data(1, bytes, endStream));
    // In two pieces, and ended by trailers.
    peer.send(begin(3), data(3, bytes.subarray(0, 3)), data(3, bytes.subarray(3)));
    peer.send(headers(3, [['x', '1']], endStream), call(5));
    const [first, second] = [await answerOf(peer, 1), await answerOf(peer, 3)];
    expect([first[0], second[0]]).toEqual([expected, expected]);
    expect(await answerOf(peer, 5)).toEqual(ok);
    expect(server.asked).toEqual(['hello']);
  });

  test('that the same bytes of headers ask for is the same call, unless the table has changed', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    const fixed = callFields({ ':path': undefined });
    const block = headers(1, fixed).subarray(9);
    // `:path` goes into the table, then comes from there.
    const path = (name: string): Buffer => Buffer.concat([Buffer.of(0x44, name.length), Buffer.from(name)]);
    const request = (id: number, bytes: Buffer): Buffer =>
      Buffer.concat([frame(headersType, endHeaders, id, bytes), data(id, prefixed(Buffer.from('hello')), endStream)]);
    const indexed = Buffer.concat([Buffer.of(0xbe), block]);
    peer.send(request(1, Buffer.concat([path('/test.Test/Echo'), block])), request(3, indexed), request(5, indexed));
    peer.send(request(7, Buffer.concat([path('/test.Test/None'), block])), request(9, indexed), request(11, indexed));
    const unknown = failed(12, 'The method is unknown.');
    for (const id of [1, 3, 5]) expect(await answerOf(peer, id)).toEqual(ok);
    for (const id of [7, 9, 11]) expect((await answerOf(peer, id))[0]).toBe(unknown);
  });
});

describe('the deadline of a caller', () => {
  test('is told to the method, and ends a call that is late', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(headers(1, callFields({ ':path': '/test.Test/Later', 'grpc-timeout': '1S' })));
    peer.send(data(1, prefixed(Buffer.alloc(0)), endStream));
    await expect.poll(() => server.laterCalls.length).toBe(1);
    const [later] = server.laterCalls;
    expect([later?.remainingMs, later?.cancelled]).toEqual([1000, false]);
    server.advance(1000);
    expect([later?.remainingMs, later?.cancelled]).toEqual([0, false]);
    server.advance(250);
    expect([later?.remainingMs, later?.cancelled]).toEqual([-250, true]);
    const late = failed(4, 'The deadline of the caller has passed.');
    expect(await answerOf(peer, 1)).toEqual([late]);
    server.waiting[0]?.(Buffer.from('too late'));
    peer.send(call(3));
    expect(await answerOf(peer, 3)).toEqual(ok);
    expect(await answerOf(peer, 1)).toEqual([late]);
  });

  test('that passes before the message is there spares the method', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    const begin = headers(1, callFields({ 'grpc-timeout': '100m' }));
    peer.send(begin);
    await peer.settle();
    server.advance(101);
    peer.send(data(1, prefixed(Buffer.from('hello')), endStream));
    const late = failed(4, 'The deadline of the caller has passed.');
    expect(await answerOf(peer, 1)).toEqual([late]);
    peer.send(headers(3, callFields({ 'grpc-timeout': '100m' })));
    await peer.settle();
    server.advance(1000);
    expect(await answerOf(peer, 3)).toEqual([late, 'reset 0']);
    expect(server.asked).toEqual([]);
  });
});

describe('a call whose caller has gone', () => {
  test.each<[string, (peer: RawPeer) => void]>([
    ['by a reset', (peer) => peer.send(reset(1))],
    ['with its connection', (peer) => void peer.socket.destroy()],
    ['with a connection that breaks the protocol', (peer) => peer.send(reset(99))],
  ])('%s is told so, and its answer goes nowhere', async (_title, leave) => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(call(1, Buffer.alloc(0), '/test.Test/Later'));
    await expect.poll(() => server.laterCalls.length).toBe(1);
    expect(server.laterCalls[0]?.cancelled).toBe(false);
    leave(peer);
    await expect.poll(() => server.laterCalls[0]?.cancelled).toBe(true);
    server.waiting[0]?.(Buffer.from('nobody'));
    const other = await openPeer(server.address);
    other.send(call(1));
    expect(await answerOf(other, 1)).toEqual(ok);
    expect(server.log.filter((line) => line.startsWith('error'))).toEqual([]);
  });
});

describe('a stream of messages', () => {
  const watch = (id: number): Buffer => call(id, Buffer.alloc(0), '/test.Test/Watch');

  test('sends them as they come and ends with a status', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(watch(1));
    await expect.poll(() => server.watchers.length).toBe(1);
    const [stream] = server.watchers;
    stream?.send(Buffer.from('one'));
    await peer.find(({ type }) => type === dataType);
    stream?.send(Buffer.from('two'));
    stream?.end(new RpcFailure('UNAVAILABLE', 'Gone.'));
    stream?.send(Buffer.from('three'));
    stream?.end(new RpcFailure('INTERNAL', 'Twice.'));
    expect(await answerOf(peer, 1)).toEqual([
      head,
      'message one',
      'message two',
      'grpc-status: 14, grpc-message: Gone.',
    ]);
    expect(server.ended()).toBe(1);
  });

  test('may be told something by a call on another connection, and both get what is theirs', async () => {
    const server = await startNative({
      methods: [
        {
          kind: 'unary',
          path: '/test.Test/Tell',
          fallback: undefined,
          handle(request) {
            for (const stream of server.watchers) stream.send(request);
            return Buffer.from('told');
          },
        },
      ],
    });
    const [watcher, caller] = [await openPeer(server.address), await openPeer(server.address)];
    watcher.send(watch(1));
    await expect.poll(() => server.watchers.length).toBe(1);
    const tell = (id: number): Buffer => call(id, Buffer.from(`news ${id}`), '/test.Test/Tell');
    caller.send(call(1), tell(3), tell(5), call(7));
    for (const id of [1, 7]) expect(await answerOf(caller, id)).toEqual(ok);
    for (const id of [3, 5]) expect(await answerOf(caller, id)).toEqual([head, 'message told', 'grpc-status: 0']);
    await expect.poll(() => watcher.frames.filter(({ type }) => type === dataType).length).toBe(2);
    server.watchers[0]?.end(new RpcFailure('UNAVAILABLE', 'Gone.'));
    const news = [head, 'message news 3', 'message news 5', 'grpc-status: 14, grpc-message: Gone.'];
    expect(await answerOf(watcher, 1)).toEqual(news);
  });

  test('that ends before its first message is a failure alone', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(watch(1));
    await expect.poll(() => server.watchers.length).toBe(1);
    server.watchers[0]?.end(new RpcFailure('NOT_FOUND', 'None.'));
    expect(await answerOf(peer, 1)).toEqual([failed(5, 'None.')]);
    expect(server.ended()).toBe(1);
  });

  test.each<[string, (peer: RawPeer) => void]>([
    ['resets it', (peer) => peer.send(reset(1))],
    ['leaves', (peer) => void peer.socket.destroy()],
  ])('is closed once where the caller %s', async (_title, leave) => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(watch(1));
    await expect.poll(() => server.watchers.length).toBe(1);
    leave(peer);
    await expect.poll(() => server.ended()).toBe(1);
    server.watchers[0]?.send(Buffer.from('nobody'));
    server.watchers[0]?.end(new RpcFailure('UNAVAILABLE', 'Late.'));
    expect(server.ended()).toBe(1);
  });

  test('waits for the window of the peer, its end too', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(settings([4, 10]), watch(1));
    await expect.poll(() => server.watchers.length).toBe(1);
    const [stream] = server.watchers;
    for (const text of ['one', 'two', 'three']) stream?.send(Buffer.from(text));
    stream?.end(new RpcFailure('UNAVAILABLE', 'Gone.'));
    expect(server.ended()).toBe(1);
    await peer.settle();
    const sent = (): Buffer =>
      Buffer.concat(peer.frames.filter(({ type }) => type === dataType).map(({ payload }) => payload));
    expect(sent()).toHaveLength(10);
    peer.send(settings([4, 100]));
    await peer.find(({ type, flags }) => type === headersType && (flags & endStream) !== 0);
    expect(sent()).toEqual(Buffer.concat(['one', 'two', 'three'].map((text) => prefixed(Buffer.from(text)))));
  });

  test('that cannot be opened ends with the status of its method, or INTERNAL without a word', async () => {
    const methods = [new RpcFailure('RESOURCE_EXHAUSTED', 'Full.'), new Error('secret')].map((thrown, i) => ({
      kind: 'server-streaming' as const,
      path: `/test.Test/Broken${i}`,
      open(): never {
        throw thrown;
      },
    }));
    const server = await startNative({ methods });
    const peer = await openPeer(server.address);
    peer.send(call(1, Buffer.alloc(0), '/test.Test/Broken0'), call(3, Buffer.alloc(0), '/test.Test/Broken1'));
    expect(await answerOf(peer, 1)).toEqual([failed(8, 'Full.')]);
    expect(await answerOf(peer, 3)).toEqual([failed(13, 'The method failed.')]);
    expect(server.log).toEqual(['error: a stream could not be opened (Error)']);
  });
});

test('long answers are cut into frames that every peer takes, and arrive whole', async () => {
  const server = await startNative();
  const peer = await openPeer(server.address);
  peer.send(settings([4, 1_000_000]), frame(8, 0, 0, uint32(1_000_000)));
  const message = Buffer.from(Array.from({ length: 100_000 }, (_byte, i) => i % 251));
  const bytes = prefixed(message);
  peer.send(headers(1, callFields()));
  for (let at = 0; at < bytes.length; at += 10_000) {
    peer.send(data(1, bytes.subarray(at, at + 10_000), at + 10_000 < bytes.length ? 0 : endStream));
  }
  await peer.find(({ type, flags }) => type === headersType && (flags & endStream) !== 0);
  const pieces = peer.frames.filter(({ type }) => type === dataType).map(({ payload }) => payload);
  expect(Math.max(...pieces.map(({ length }) => length))).toBe(16_384);
  expect(Buffer.concat(pieces)).toEqual(bytes);
});
