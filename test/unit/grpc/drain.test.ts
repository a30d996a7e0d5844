import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startNative } from './support/native-server.ts';
import { call, frame, openPeer, uint32, type RawPeer } from './support/raw-peer.ts';

const [dataType, rst, ping, goaway] = [0, 3, 6, 7];
const later = (id: number): Buffer => call(id, Buffer.alloc(0), '/test.Test/Later');
const goawaysOf = (peer: RawPeer): number[] =>
  peer.frames.filter(({ type }) => type === goaway).map(({ payload }) => payload.readUInt32BE(0));
const answered = (peer: RawPeer, id: number): Promise<unknown> =>
  peer.find(({ type, stream }) => type === dataType && stream === id);

/** Answers the server's PING: what was sent before it has read is on its way. */
async function answerPing(peer: RawPeer): Promise<void> {
  const { payload } = await peer.find(({ type, flags }) => type === ping && flags === 0);
  peer.send(frame(ping, 1, 0, payload));
}

describe('a drain', () => {
  test('says so, serves what comes until the peer has heard it, then names the last stream and ends', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(call(1), later(3));
    await answered(peer, 1);
    const drained = server.transport.drain(60_000);
    await peer.find(({ type }) => type === goaway);
    expect(goawaysOf(peer)).toEqual([0x7fff_ffff]);
    // Sent before the GOAWAY was read.
    peer.send(call(5), later(7));
    await answered(peer, 5);
    await answerPing(peer);
    await expect.poll(() => goawaysOf(peer)).toEqual([0x7fff_ffff, 7]);
    // Against what it was told: not begun, so it may be asked elsewhere.
    peer.send(call(9));
    expect((await peer.find(({ type }) => type === rst)).payload).toEqual(uint32(7));
    for (const answer of server.waiting) answer(Buffer.from('done'));
    await answered(peer, 3);
    await answered(peer, 7);
    expect(await peer.end).toEqual({ code: 0, lastStream: 7 });
    expect(await drained).toBe('drained');
    expect(server.asked).toEqual(['hello', 'hello']);
  });

  test('waits a second for a peer that does not answer the PING', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    const drained = server.transport.drain(60_000);
    await peer.find(({ type }) => type === goaway);
    server.advance(900);
    await peer.settle();
    expect(goawaysOf(peer)).toEqual([0x7fff_ffff]);
    server.advance(500);
    expect(await peer.end).toEqual({ code: 0, lastStream: 0 });
    expect(await drained).toBe('drained');
  });

  test('waits a second for a peer that does not close, and for one that has said nothing yet', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    const silent = await openPeer(server.address, 'silent');
    await silent.find(({ type }) => type === 4);
    peer.socket.allowHalfOpen = true;
    const drained = server.transport.drain(60_000);
    await answerPing(peer);
    await expect.poll(() => goawaysOf(peer).length).toBe(2);
    server.advance(1300);
    await new Promise((resolve) => void setTimeout(resolve, 20));
    server.advance(1300);
    expect(await drained).toBe('drained');
    expect(goawaysOf(silent)).toEqual([0x7fff_ffff, 0]);
  });

  test('cuts off what is not answered in time', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(later(1));
    await expect.poll(() => server.laterCalls.length).toBe(1);
    const drained = server.transport.drain(3000);
    await answerPing(peer);
    await expect.poll(() => goawaysOf(peer).length).toBe(2);
    server.advance(3000);
    expect(await drained).toBe('forced');
    expect(server.laterCalls[0]?.cancelled).toBe(true);
    await peer.end;
  });

  test('ends streams of messages with UNAVAILABLE, also those that are opened meanwhile', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(call(1, Buffer.alloc(0), '/test.Test/Watch'));
    await expect.poll(() => server.watchers.length).toBe(1);
    const drained = server.transport.drain(60_000);
    await peer.find(({ type, stream }) => type === 1 && stream === 1);
    expect(server.ended()).toBe(1);
    peer.send(call(3, Buffer.alloc(0), '/test.Test/Watch'));
    await peer.find(({ type, stream }) => type === 1 && stream === 3);
    expect(server.watchers).toHaveLength(1);
    await answerPing(peer);
    expect(await drained).toBe('drained');
  });
});

test('a connection that another process accepted is served, waited for and ended like any other', async () => {
  const server = await startNative();
  const others = createServer({ pauseOnConnect: true }, (socket) => {
    server.transport.take(socket);
    socket.resume();
  });
  await new Promise<void>((resolve) => void others.listen(0, '127.0.0.1', resolve));
  const bound = others.address();
  if (bound === null || typeof bound === 'string') throw new Error('it listens on a port');
  const peer = await openPeer(`127.0.0.1:${bound.port}`);
  peer.send(call(1), later(3));
  await answered(peer, 1);
  const drained = server.transport.drain(60_000);
  await answerPing(peer);
  for (const answer of server.waiting) answer(Buffer.from('done'));
  await answered(peer, 3);
  expect(await peer.end).toEqual({ code: 0, lastStream: 3 });
  expect(await drained).toBe('drained');
  others.close();
});
