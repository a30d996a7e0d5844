import { describe, expect, test, vi } from 'vitest';
import { startNative, type NativeServer } from './support/native-server.ts';
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
  settingsAck,
  uint32,
  windowUpdate,
  type Frame,
} from './support/raw-peer.ts';

// Two cores that others share may need longer than the usual five seconds.
vi.setConfig({ testTimeout: 60_000 });

const [dataType, headersType, priority, rst, settingsType, ping, continuation] = [0, 1, 2, 3, 4, 6, 9];
const [refusedStream, cancel, enhanceYourCalm] = [7, 8, 11];
const endStream = 1;
const endHeaders = 4;

const isAnswerOf =
  (id: number) =>
  ({ type, stream }: Frame): boolean =>
    type === dataType && stream === id;
const isResetOf =
  (id: number) =>
  ({ type, stream }: Frame): boolean =>
    type === rst && stream === id;
const many = (count: number, make: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_bytes, index) => make(index)));
/** The ids of a client's streams, the first for 0. */
const idOf = (index: number): number => index * 2 + 1;

/** What misbehaves is sent away, and a peer that was there before does not notice. */
async function expectSentAway(server: NativeServer, bytes: Buffer, code = enhanceYourCalm): Promise<void> {
  const other = await openPeer(server.address);
  const peer = await openPeer(server.address);
  peer.send(bytes);
  expect(await peer.end).toMatchObject({ code });
  other.send(call(1));
  await other.find(isAnswerOf(1));
}

describe('streams that are reset', () => {
  const opened = (index: number): Buffer => headers(idOf(index), callFields());

  test('as fast as they are opened end the connection (CVE-2023-44487)', async () => {
    const server = await startNative();
    await expectSentAway(
      server,
      many(1100, (i) => Buffer.concat([opened(i), reset(idOf(i))])),
    );
    expect(server.asked).toEqual(['hello']);
  });

  test('because the peer makes mistakes end the connection as well (CVE-2025-8671)', async () => {
    const server = await startNative();
    await expectSentAway(
      server,
      many(1100, (i) => Buffer.concat([opened(i), windowUpdate(idOf(i), 0)])),
    );
  });

  test('are no harm where most are answered, where they are old, and where time passes', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    let index = 0;
    const next = (): number => idOf(index++);
    // A third of the requests goes away at once.
    for (let i = 0; i < 2000; i++)
      peer.send(call(next()), call(next()), headers(idOf(index), callFields()), reset(next()));
    await peer.settle();
    for (let round = 0; round < 3; round++) {
      const ids = Array.from({ length: 900 }, next);
      peer.send(...ids.map((id) => headers(id, callFields())));
      await peer.settle();
      server.advance(200);
      peer.send(...ids.map((id) => reset(id)));
      await peer.settle();
    }
    for (let round = 0; round < 3; round++) {
      peer.send(...Array.from({ length: 900 }, next).flatMap((id) => [headers(id, callFields()), reset(id)]));
      await peer.settle();
      server.advance(10_000);
    }
    const last = next();
    peer.send(call(last));
    await peer.find(isAnswerOf(last));
    expect(server.asked).toHaveLength(4001);
  });

  test('while their methods work take room until these are done', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    for (let from = 0; from < 4096; from += 1024) {
      const ids = Array.from({ length: 1024 }, (_id, i) => idOf(from + i));
      peer.send(...ids.map((id) => call(id, Buffer.alloc(0), '/test.Test/Later')));
      await peer.settle();
      server.advance(200);
      peer.send(...ids.map((id) => reset(id)));
      await peer.settle();
    }
    expect(server.laterCalls.every(({ cancelled }) => cancelled)).toBe(true);
    peer.send(call(9001));
    expect((await peer.find(isResetOf(9001))).payload).toEqual(uint32(refusedStream));
    server.waiting.shift()?.(Buffer.alloc(0));
    await peer.settle();
    peer.send(call(9003));
    await peer.find(isAnswerOf(9003));
  });
});

test('calls that are given up take no room where their method ends with them', async () => {
  let given = 0;
  const server = await startNative({
    methods: [
      {
        kind: 'unary',
        path: '/test.Test/Minds',
        fallback: undefined,
        handle: (_request, call) =>
          new Promise((resolve) => {
            call.onCancelled = () => {
              given++;
              resolve(Buffer.alloc(0));
            };
          }),
      },
    ],
  });
  const peer = await openPeer(server.address);
  for (let from = 0; from < 6144; from += 1024) {
    const ids = Array.from({ length: 1024 }, (_id, i) => idOf(from + i));
    peer.send(...ids.map((id) => call(id, Buffer.alloc(0), '/test.Test/Minds')));
    await peer.settle();
    server.advance(200);
    peer.send(...ids.map((id) => reset(id)));
    await peer.settle();
  }
  peer.send(call(20_001));
  await peer.find(isAnswerOf(20_001));
  expect([given, peer.frames.some(({ type }) => type === rst)]).toEqual([6144, false]);
});

test('a connection that sends without end leaves others their turn', async () => {
  const server = await startNative();
  const [busy, other] = [await openPeer(server.address), await openPeer(server.address)];
  busy.send(
    windowUpdate(0, 0x3fff_0000),
    many(20_000, (i) => call(idOf(i), Buffer.from('busy'))),
  );
  other.send(call(1, Buffer.from('other')));
  await other.find(isAnswerOf(1));
  await busy.find(({ type, stream }) => type === headersType && stream === idOf(19_999));
  expect(server.asked).toHaveLength(20_001);
  // One chunk of the system's and one that was read ahead hold some 1250 calls.
  expect(server.asked.indexOf('other')).toBeLessThan(1300);
});

describe('a flood that brings no request ends the connection:', () => {
  const behindOpen = (flood: Buffer): Buffer => Buffer.concat([headers(1, callFields()), flood]);
  const floods: readonly (readonly [string, Buffer])[] = [
    ['PING', many(10_100, () => frame(ping, 0, 0, Buffer.alloc(8)))],
    ['acknowledgements of PING', many(10_100, () => frame(ping, 1, 0, Buffer.alloc(8)))],
    ['SETTINGS', many(1100, () => settings([4, 65_535]))],
    ['acknowledgements of SETTINGS', many(1100, () => settingsAck)],
    ['empty DATA', behindOpen(many(10_100, () => data(1, Buffer.alloc(0))))],
    ['DATA of padding alone', behindOpen(many(10_100, () => data(1, Buffer.of(1, 0), 8)))],
    ['WINDOW_UPDATE of the connection', many(10_100, () => windowUpdate(0, 1))],
    ['WINDOW_UPDATE of a stream', behindOpen(many(10_100, () => windowUpdate(1, 1)))],
    ['PRIORITY', many(10_100, () => frame(priority, 0, 3, Buffer.alloc(5)))],
    ['RST_STREAM of a stream that is over', Buffer.concat([call(1), many(10_200, () => reset(1))])],
    ['GOAWAY', many(10_100, () => frame(7, 0, 0, Buffer.alloc(8)))],
    ['frames of unknown types', many(10_100, () => frame(99, 0, 0))],
    ['empty CONTINUATION', Buffer.concat([frame(headersType, 0, 1), many(20, () => frame(continuation, 0, 1))])],
    [
      'long CONTINUATION',
      Buffer.concat([frame(headersType, 0, 1), many(5, () => frame(continuation, 0, 1, Buffer.alloc(16_384)))]),
    ],
  ];

  test.each(floods)('%s', async (_title, bytes) => {
    await expectSentAway(await startNative(), bytes);
  });

  test('and long messages that are refused are no harm, though they go on for a while', async () => {
    const server = await startNative({ maxReceiveBytes: 65_536 });
    const peer = await openPeer(server.address);
    const long = many(64, () => data(1, Buffer.alloc(16_384)));
    for (let i = 0; i < 300; i++) {
      const id = idOf(i);
      peer.send(headers(id, callFields()), data(id, Buffer.of(0, 1, 0, 0, 0)));
      const late = Buffer.from(long);
      for (let at = 0; at < late.length; at += 9 + 16_384) late.writeUInt32BE(id, at + 5);
      peer.send(late);
      await peer.settle();
    }
    peer.send(call(9001));
    await peer.find(isAnswerOf(9001));
    expect(peer.frames.filter(({ type }) => type === rst)).toHaveLength(300);
  });

  test('and the same frames are no harm over time, nor between requests', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    for (let round = 0; round < 3; round++) {
      peer.send(many(9000, () => frame(ping, 1, 0, Buffer.alloc(8))));
      await peer.settle();
      server.advance(10_000);
    }
    for (let i = 0; i < 5000; i++) peer.send(windowUpdate(0, 100), frame(ping, 1, 0, Buffer.alloc(8)), call(idOf(i)));
    await peer.find(isAnswerOf(idOf(4999)));
    expect(server.asked).toHaveLength(5000);
  });
});

describe('more streams at once than are allowed', () => {
  test('are refused, so that they may be asked elsewhere, and the others are answered', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    const open = await peer.find(({ type, flags }) => type === settingsType && flags === 0);
    expect(open.payload.readUInt16BE(0)).toBe(3);
    const most = open.payload.readUInt32BE(2);
    expect(most).toBe(4096);
    peer.send(many(most + 5, (i) => call(idOf(i), Buffer.alloc(0), '/test.Test/Later')));
    await peer.find(isResetOf(idOf(most + 4)));
    const resets = peer.frames.filter(({ type }) => type === rst);
    expect(resets.map(({ stream, payload }) => [stream, payload.readUInt32BE(0)])).toEqual(
      Array.from({ length: 5 }, (_id, i) => [idOf(most + i), refusedStream]),
    );
    for (const answer of server.waiting) answer(Buffer.from('at last'));
    await peer.find(isAnswerOf(idOf(most - 1)));
    peer.send(call(idOf(most + 5)));
    await peer.find(isAnswerOf(idOf(most + 5)));
  });
});

describe('header lists', () => {
  /** Puts a field of some 4000 bytes into the table. */
  const remembered = Buffer.concat([Buffer.of(0x40, 1, 0x78, 0x7f, 0x81, 0x1e), Buffer.alloc(4000, 'v')]);
  const callBlock = headers(1, callFields()).subarray(9);

  test('that unfold into megabytes are answered with 431, and the table is still right (HPACK bomb)', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    const bomb = Buffer.concat([callBlock, remembered, Buffer.alloc(12_000, 0xbe)]);
    peer.send(frame(headersType, endHeaders | endStream, 1, bomb));
    const answer = await peer.find(({ type, stream }) => type === headersType && stream === 1);
    expect([answer.flags & endStream, answer.payload.toString('latin1')]).toEqual([endStream, '\b\x03431']);
    peer.send(frame(headersType, endHeaders, 3, Buffer.concat([callBlock, Buffer.of(0xbe)])));
    peer.send(data(3, prefixed(Buffer.from('fine')), endStream));
    await peer.find(isAnswerOf(3));
    expect(server.asked).toEqual(['fine']);
  });

  test('just below the limit are read, in whatever pieces they come', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    const fields = callFields({ 'x-long': 'v'.repeat(60_000) });
    const block = headers(1, fields).subarray(9);
    peer.send(frame(headersType, 0, 1, block.subarray(0, 16_384)));
    for (let at = 16_384; at < block.length; at += 16_384) {
      const piece = block.subarray(at, at + 16_384);
      peer.send(frame(continuation, at + 16_384 < block.length ? 0 : endHeaders, 1, piece));
    }
    peer.send(data(1, prefixed(Buffer.from('long')), endStream));
    await peer.find(isAnswerOf(1));
    expect(server.asked).toEqual(['long']);
  });

  test('with games of table sizes cost nothing and mean what they say', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    // To nothing and back again, 4000 times, then a field that is remembered.
    const games = many(4000, () => Buffer.of(0x20, 0x3f, 0xe1, 0x1f)).subarray(0, 12_000);
    peer.send(frame(headersType, endHeaders, 1, Buffer.concat([games, callBlock, Buffer.of(0x40, 1, 0x79, 1, 0x7a)])));
    peer.send(data(1, prefixed(Buffer.from('a')), endStream));
    peer.send(frame(headersType, endHeaders, 3, Buffer.concat([callBlock, Buffer.of(0xbe)])));
    peer.send(data(3, prefixed(Buffer.from('b')), endStream));
    await peer.find(isAnswerOf(3));
    // A table of no size has no entries.
    peer.send(frame(headersType, endHeaders, 5, Buffer.concat([Buffer.of(0x20), callBlock, Buffer.of(0xbe)])));
    expect(await peer.end).toMatchObject({ code: 9 });
    expect(server.asked).toEqual(['a', 'b']);
  });
});

describe('a peer that takes no answers', () => {
  test('is waited for, and its stream reset after half a minute without any progress', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(settings([4, 0]), call(1), call(3));
    await peer.settle();
    expect(peer.frames.filter(({ type }) => type === dataType)).toEqual([]);
    server.advance(29_000);
    peer.send(windowUpdate(1, 6));
    expect((await peer.find(isAnswerOf(1))).payload).toHaveLength(6);
    server.advance(29_000);
    expect((await peer.find(isResetOf(3))).payload).toEqual(uint32(cancel));
    peer.send(windowUpdate(1, 100));
    await peer.find(({ type, stream, flags }) => type === headersType && stream === 1 && (flags & endStream) !== 0);
    expect(Buffer.concat(peer.frames.filter(isAnswerOf(1)).map(({ payload }) => payload))).toEqual(
      prefixed(Buffer.from('hello')),
    );
    expect(peer.frames.some(isResetOf(1))).toBe(false);
  });

  test('has at most 8 MiB of them kept', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(settings([4, 0]));
    const long = prefixed(Buffer.alloc(1024 * 1024, 'x'));
    for (let i = 0; i < 9; i++) {
      peer.send(headers(idOf(i), callFields()));
      for (let at = 0; at < long.length; at += 16_384) peer.send(data(idOf(i), long.subarray(at, at + 16_384)));
      peer.send(data(idOf(i), Buffer.alloc(0), endStream));
    }
    await peer.settle();
    const resets = peer.frames.filter(({ type }) => type === rst);
    expect(resets.map(({ stream, payload }) => [stream, payload.readUInt32BE(0)])).toEqual([
      [idOf(7), enhanceYourCalm],
      [idOf(8), enhanceYourCalm],
    ]);
    peer.send(windowUpdate(0, 20_000_000), windowUpdate(1, 2_000_000));
    await peer.find(({ type, stream, flags }) => type === headersType && stream === 1 && (flags & endStream) !== 0);
  });

  test('because a window went below zero has them once it is above', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(settings([4, 8]), call(1), settings([4, 2]), windowUpdate(1, 5));
    await peer.settle();
    expect(peer.frames.filter(isAnswerOf(1)).map(({ payload }) => payload.length)).toEqual([8]);
    peer.send(windowUpdate(1, 3));
    await peer.settle();
    expect(peer.frames.filter(isAnswerOf(1)).map(({ payload }) => payload.length)).toEqual([8, 2]);
  });

  test('and does not even read is not read from, then cut off; one that reads again has them all', async () => {
    const server = await startNative();
    const open = async (): Promise<Awaited<ReturnType<typeof openPeer>>> => {
      const peer = await openPeer(server.address);
      peer.send(settings([4, 0x7fff_ffff]), windowUpdate(0, 0x7000_0000));
      await peer.settle();
      peer.socket.pause();
      return peer;
    };
    const [stubborn, slow] = [await open(), await open()];
    const messageOf = (letter: string, i: number): Buffer => Buffer.alloc(16_000, `${letter}${i} `);
    stubborn.send(many(2000, (i) => call(idOf(i), messageOf('stubborn', i))));
    slow.send(many(2000, (i) => call(idOf(i), messageOf('slow', i))));
    await expect.poll(() => server.asked.length, { timeout: 10_000 }).toBeGreaterThan(100);
    let before = -1;
    while (before !== server.asked.length) {
      before = server.asked.length;
      await new Promise((resolve) => void setTimeout(resolve, 100));
    }
    expect(server.asked.length).toBeLessThan(1300);
    slow.socket.resume();
    const last = idOf(1999);
    await slow.find(({ type, stream, flags }) => type === headersType && stream === last && (flags & endStream) !== 0);
    const received = Buffer.concat(slow.frames.filter(({ type }) => type === dataType).map(({ payload }) => payload));
    const wanted = many(2000, (i) => prefixed(messageOf('slow', i)));
    expect(received.equals(wanted)).toBe(true);
    for (let i = 0; i < 130; i++) server.advance(250);
    stubborn.socket.resume();
    expect(await stubborn.end).toBe('closed');
    slow.send(call(9001));
    await slow.find(isAnswerOf(9001));
  });
});

describe('a peer that says nothing', () => {
  test.each<[string, Buffer]>([
    ['at all', Buffer.alloc(0)],
    ['but half a preface', Buffer.from('PRI * HTTP/2')],
    ['but the preface', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['but half of its SETTINGS', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0')],
  ])('%s is sent away after ten seconds', async (_title, bytes) => {
    const server = await startNative();
    const peer = await openPeer(server.address, 'silent');
    const polite = await openPeer(server.address);
    peer.send(bytes);
    await polite.settle();
    server.advance(11_000);
    expect(await peer.end).toMatchObject({ code: 4 });
    polite.send(call(1));
    await polite.find(isAnswerOf(1));
  });

  test('to our SETTINGS is sent away after half a minute', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address, 'silent');
    peer.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings(), call(1));
    await peer.find(isAnswerOf(1));
    server.advance(29_000);
    await peer.settle();
    server.advance(2000);
    expect(await peer.end).toMatchObject({ code: 4 });
  });

  test('more of its request has its stream reset after a minute', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(headers(1, callFields()), data(1, Buffer.of(0, 0)));
    await peer.settle();
    server.advance(59_000);
    await peer.settle();
    expect(peer.frames.some(isResetOf(1))).toBe(false);
    server.advance(2000);
    expect((await peer.find(isResetOf(1))).payload).toEqual(uint32(cancel));
  });

  test.each<[string, Buffer]>([
    ['a frame', call(1).subarray(0, 20)],
    ['the head of a frame', call(1).subarray(0, 5)],
    ['a header block', frame(headersType, 0, 1, headers(1, callFields()).subarray(9))],
    [
      'a header block of two frames',
      Buffer.concat([frame(headersType, 0, 1), frame(continuation, 0, 1, Buffer.of(0x82))]),
    ],
  ])('of the rest of %s is sent away after a minute', async (_title, bytes) => {
    const server = await startNative();
    const [peer, other] = [await openPeer(server.address), await openPeer(server.address)];
    peer.send(bytes);
    await other.settle();
    await expect.poll(() => peer.socket.bytesWritten).toBeGreaterThan(0);
    other.send(call(1));
    await other.find(isAnswerOf(1));
    server.advance(59_000);
    await other.settle();
    expect(peer.isClosed).toBe(false);
    server.advance(2000);
    expect(await peer.end).toMatchObject({ code: enhanceYourCalm });
    await other.settle();
  });

  test('for a while within a frame or a header block is heard when it goes on', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    const bytes = Buffer.concat([
      frame(headersType, 0, 1, headers(1, callFields()).subarray(9)),
      frame(continuation, endHeaders, 1),
      data(1, prefixed(Buffer.from('slow')), endStream),
    ]);
    for (let at = 0, index = 0; at < bytes.length; at += 40, index++) {
      peer.send(bytes.subarray(at, at + 40));
      await expect.poll(() => peer.socket.bytesWritten).toBeGreaterThan(at);
      if (index < 4) server.advance(14_000);
    }
    await peer.find(isAnswerOf(1));
  });

  test('and only keeps its connection may do so, with hundreds of others', async () => {
    const server = await startNative();
    const peers = await Promise.all(Array.from({ length: 300 }, () => openPeer(server.address)));
    server.advance(3_600_000);
    for (const peer of peers) {
      peer.send(call(1));
      await peer.find(isAnswerOf(1));
    }
  });
});
