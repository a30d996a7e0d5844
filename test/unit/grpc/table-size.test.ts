import type { IncomingHttpHeaders } from 'node:http';
import { connect, type ClientHttp2Session } from 'node:http2';
import { describe, expect, onTestFinished, test } from 'vitest';
import { emptyTableUpdate } from '../../../src/grpc/hpack/encode-header-block.ts';
import { frameFlag, frameType, preface } from '../../../src/grpc/http2/protocol.ts';
import { startNative } from './support/native-server.ts';
import { call, openPeer, prefixed, settings, settingsAck, type RawPeer } from './support/raw-peer.ts';

const tableSize = 1;

/** The first byte of every block that the server has sent, by its order. */
function firstBytes(peer: RawPeer): readonly (number | undefined)[] {
  return peer.frames.filter(({ type }) => type === frameType.headers).map(({ payload }) => payload[0]);
}

/** Whether the blocks say that our use of the peer's table has the size 0. */
const updates = (peer: RawPeer): readonly boolean[] => firstBytes(peer).map((byte) => byte === emptyTableUpdate);

describe('RFC 7541 section 4.2: a peer whose table is smaller than at first', () => {
  test.each<[string, (readonly [number, number])[], boolean[]]>([
    ['is answered in the first block, once', [[tableSize, 0]], [true, false, false, false]],
    ['by whatever it is smaller', [[tableSize, 4095]], [true, false, false, false]],
    ['also where it is as large as at first again behind that', [[tableSize, 100], [tableSize, 4096]], [true, false, false, false]],
    ['the control: as large as at first', [[tableSize, 4096]], [false, false, false, false]],
    ['the control: larger', [[tableSize, 65_536]], [false, false, false, false]],
    ['the control: not said', [], [false, false, false, false]],
  ])('%s', async (_title, entries, expected) => {
    const server = await startNative();
    const peer = await openPeer(server.address, 'silent');
    peer.send(preface, settings(...entries), settingsAck, call(1), call(3));
    await peer.settle();
    expect(updates(peer)).toEqual(expected);
  }); // prettier-ignore

  test('that says so between answers is answered in the next block, behind the acknowledgement', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(call(1));
    await peer.settle();
    peer.send(settings([tableSize, 10]));
    await peer.settle();
    peer.send(call(3, Buffer.from('x'), '/test.Test/Nothing'), call(5), settings([tableSize, 0]), call(7));
    await peer.settle();
    expect(updates(peer)).toEqual([false, false, true, false, false, false, false]);
    const acknowledged = peer.frames.findLastIndex(
      ({ type, flags }) => type === frameType.settings && flags === frameFlag.ack,
    );
    expect(acknowledged).toBeGreaterThan(0);
  });

  test('while an answer waits for its window, the trailers of it say so', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address, 'silent');
    const initialWindow = 4;
    peer.send(preface, settings([initialWindow, 0]), settingsAck, call(1));
    await peer.settle();
    expect(updates(peer)).toEqual([false]);
    peer.send(settings([tableSize, 0], [initialWindow, 1000]));
    await peer.settle();
    expect(updates(peer)).toEqual([false, true]);
  });
});

/** nghttp2's client, which ends the connection where such a block is missing. */
function connectNode(address: string, headerTableSize: number | undefined): Promise<ClientHttp2Session> {
  const session = connect(`http://${address}`, headerTableSize === undefined ? {} : { settings: { headerTableSize } });
  onTestFinished(() => session.destroy());
  return new Promise((resolve, reject) => {
    session.once('remoteSettings', () => resolve(session));
    session.once('error', reject);
  });
}

function ask(session: ClientHttp2Session, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fields = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
    const stream = session.request(fields);
    let status = '';
    let bytes = 0;
    const note = (headers: IncomingHttpHeaders): void => {
      const said = headers['grpc-status'];
      if (typeof said === 'string') status = said;
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
    stream.on('end', () => resolve(`${status} ${bytes}`));
    stream.on('error', reject);
    stream.end(prefixed(Buffer.from('hello')));
  });
}

describe("nghttp2's client", () => {
  test.each([undefined, 4096, 8192, 4095, 100, 0])('with a table of %s bytes gets every answer', async (size) => {
    const server = await startNative();
    const session = await connectNode(server.address, size);
    for (let round = 0; round < 3; round++) {
      const paths = ['/test.Test/Echo', '/test.Test/Nothing', '/test.Test/Echo'];
      expect(await Promise.all(paths.map((path) => ask(session, path)))).toEqual(['0 10', '12 0', '0 10']);
    }
  });

  test('may change it while it asks', async () => {
    const server = await startNative();
    const session = await connectNode(server.address, undefined);
    for (const headerTableSize of [4096, 50, 8192, 0, 4096, 0]) {
      const answers = [ask(session, '/test.Test/Echo'), ask(session, '/test.Test/Echo')];
      await new Promise<void>((resolve) => session.settings({ headerTableSize }, () => resolve()));
      answers.push(ask(session, '/test.Test/Nothing'), ask(session, '/test.Test/Echo'));
      expect(await Promise.all(answers)).toEqual(['0 10', '0 10', '12 0', '0 10']);
    }
  });
});
