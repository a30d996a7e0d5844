import { describe, expect, test } from 'vitest';
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
  windowUpdate,
} from './support/raw-peer.ts';

const [dataType, headersType, priority, rst, settingsType, push, ping, goaway, update, continuation] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
];
const [protocolError, flowControlError, streamClosed, frameSizeError, compressionError] = [1, 3, 5, 6, 9];
const [endStream, endHeaders, padded, prioritised] = [1, 4, 8, 0x20];

const block = (...bytes: readonly number[]): Buffer => frame(headersType, endHeaders, 1, Buffer.from(bytes));
/** HEADERS whose block goes on. */
const openBlock = frame(headersType, 0, 1, Buffer.of(0x83));
const later = call(1, Buffer.alloc(0), '/test.Test/Later');

/** RFC 9113 sections 4 to 6, RFC 7541. */
const connectionErrors: readonly (readonly [string, Buffer, number])[] = [
  ['DATA for no stream', data(0, Buffer.from('x')), protocolError],
  ['DATA for a stream that was never opened', data(1, Buffer.from('x')), protocolError],
  ['HEADERS for no stream', headers(0, callFields()), protocolError],
  ['HEADERS for a stream of the server', headers(2, callFields()), protocolError],
  ['a stream id below one that was used', Buffer.concat([call(5), call(3)]), protocolError],
  ['a stream id again', Buffer.concat([call(1), call(1)]), streamClosed],
  ['a stream id again that was reset', Buffer.concat([later, reset(1), call(1)]), streamClosed],
  ['a CONTINUATION of nothing', frame(continuation, endHeaders, 1), protocolError],
  ['a CONTINUATION after a whole block', Buffer.concat([call(1), frame(continuation, endHeaders, 1)]), protocolError],
  ['DATA within a header block', Buffer.concat([openBlock, data(1, Buffer.from('x'))]), protocolError],
  ['a PING within a header block', Buffer.concat([openBlock, frame(ping, 0, 0, Buffer.alloc(8))]), protocolError],
  ['another stream within a header block', Buffer.concat([openBlock, call(3)]), protocolError],
  [
    'a CONTINUATION of another stream within a header block',
    Buffer.concat([openBlock, frame(continuation, endHeaders, 3)]),
    protocolError,
  ],
  ['a frame of an unknown type within a header block', Buffer.concat([openBlock, frame(77, 0, 1)]), protocolError],
  ['PUSH_PROMISE', frame(push, endHeaders, 1, uint32(2)), protocolError],
  ['a frame that is longer than 16384 bytes', frame(dataType, 0, 1, Buffer.alloc(16_385)), frameSizeError],
  ['SETTINGS for a stream', frame(settingsType, 0, 1), protocolError],
  ['SETTINGS that are cut off', frame(settingsType, 0, 0, Buffer.alloc(5)), frameSizeError],
  ['an acknowledgement of SETTINGS that is not empty', frame(settingsType, 1, 0, Buffer.alloc(6)), frameSizeError],
  ['ENABLE_PUSH of 2', settings([2, 2]), protocolError],
  ['an initial window of 2^31', settings([4, 0x8000_0000]), flowControlError],
  ['a maximal frame size below the least', settings([5, 16_383]), protocolError],
  ['a maximal frame size above the most', settings([5, 0x100_0000]), protocolError],
  ['a PING for a stream', frame(ping, 0, 1, Buffer.alloc(8)), protocolError],
  ['a PING of seven bytes', frame(ping, 0, 0, Buffer.alloc(7)), frameSizeError],
  ['a GOAWAY for a stream', frame(goaway, 0, 1, Buffer.alloc(8)), protocolError],
  ['a GOAWAY that is cut off', frame(goaway, 0, 0, Buffer.alloc(7)), frameSizeError],
  ['a WINDOW_UPDATE of three bytes', frame(update, 0, 0, Buffer.alloc(3)), frameSizeError],
  ['a WINDOW_UPDATE of nothing', windowUpdate(0, 0), protocolError],
  ['a WINDOW_UPDATE above the most', windowUpdate(0, 0x7fff_ffff), flowControlError],
  ['a WINDOW_UPDATE for a stream that was never opened', windowUpdate(1, 1), protocolError],
  [
    'SETTINGS that take the window of a stream above the most',
    Buffer.concat([later, windowUpdate(1, 0x7fff_0000), settings([4, 0x7fff_ffff])]),
    flowControlError,
  ],
  ['RST_STREAM for no stream', reset(0), protocolError],
  ['RST_STREAM for a stream that was never opened', reset(1), protocolError],
  ['a RST_STREAM of three bytes', Buffer.concat([later, frame(rst, 0, 1, Buffer.alloc(3))]), frameSizeError],
  ['PRIORITY for no stream', frame(priority, 0, 0, Buffer.alloc(5)), protocolError],
  ['PRIORITY of four bytes before the stream', frame(priority, 0, 1, Buffer.alloc(4)), frameSizeError],
  ['DATA with more padding than bytes', Buffer.concat([later, data(1, Buffer.of(1), padded)]), protocolError],
  ['DATA with padding and no byte', Buffer.concat([later, data(1, Buffer.alloc(0), padded)]), frameSizeError],
  ['HEADERS with more padding than bytes', frame(headersType, endHeaders | padded, 1, Buffer.of(9, 0)), protocolError],
  [
    'HEADERS whose padding is where the priority must be',
    frame(headersType, endHeaders | padded | prioritised, 1, Buffer.of(4, 0, 0, 0, 0)),
    frameSizeError,
  ],
  ['HEADERS with half a priority', frame(headersType, endHeaders | prioritised, 1, Buffer.alloc(4)), frameSizeError],
  ['the index 0', block(0x80), compressionError],
  ['an index that is in no table', block(0xbe), compressionError],
  ['an index that is larger than 2^28', block(0xff, 0xff, 0xff, 0xff, 0xff, 0x0f), compressionError],
  ['an index that is cut off', block(0xff, 0x80), compressionError],
  ['a string that is longer than its block', block(0x00, 0x05, 0x61), compressionError],
  ['a literal without a value', block(0x00, 0x01, 0x61), compressionError],
  ['a Huffman string that ends with zeros', block(0x00, 0x81, 0x00, 0x00), compressionError],
  ['a Huffman string with a byte of padding', block(0x00, 0x82, 0x1f, 0xff, 0x00), compressionError],
  ['a Huffman string that says its end', block(0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00), compressionError],
  ['a table size above 4096', block(0x3f, 0xe2, 0x1f), compressionError],
  ['a table size behind a field', block(0x83, 0x20), compressionError],
];

describe('a connection is ended with its GOAWAY, and the next one is served, after', () => {
  test.each(connectionErrors)('%s', async (_title, bytes, code) => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(bytes);
    expect(await peer.end).toMatchObject({ code });
    const other = await openPeer(server.address);
    other.send(call(1));
    expect((await other.find(({ type, stream }) => type === dataType && stream === 1)).payload).toEqual(
      prefixed(Buffer.from('hello')),
    );
    expect(server.log).toEqual([expect.stringMatching(/^debug: /u)]);
  });

  test.each([
    ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
    ['a preface with another end', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\rX')],
    [
      'a PING before SETTINGS',
      Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(ping, 0, 0, uint32(0))]),
    ],
    [
      'an acknowledgement before SETTINGS',
      Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(settingsType, 1, 0)]),
    ],
  ])('%s', async (_title, bytes) => {
    const server = await startNative();
    const peer = await openPeer(server.address, 'silent');
    peer.send(bytes);
    expect(await peer.end).toMatchObject({ code: protocolError });
  });
});

const withField = (more: Record<string, string | undefined>): Buffer => headers(1, callFields(more), endStream);
const twice = (name: string, value: string): Buffer => headers(1, [...callFields(), [name, value]], endStream);
const begin = headers(1, callFields());

/** RFC 9113 sections 5.1 and 8. */
const streamErrors: readonly (readonly [string, Buffer, number])[] = [
  ['a name in upper case', withField({ 'X-Test': '1' }), protocolError],
  ['a name with a space', withField({ 'x test': '1' }), protocolError],
  ['an empty name', withField({ '': '1' }), protocolError],
  ['a value with a NUL', withField({ x: 'a\0b' }), protocolError],
  ['a value with the end of a line', withField({ x: 'a\r\nb' }), protocolError],
  ['a value that begins with a space', withField({ x: ' a' }), protocolError],
  ['a value that ends with a tab', withField({ x: 'a\t' }), protocolError],
  ['an unknown pseudo-header', withField({ ':test': '1' }), protocolError],
  ['a pseudo-header of answers', withField({ ':status': '200' }), protocolError],
  ['no method', withField({ ':method': undefined }), protocolError],
  ['no scheme', withField({ ':scheme': undefined }), protocolError],
  ['no path', withField({ ':path': undefined }), protocolError],
  ['an empty path', withField({ ':path': '' }), protocolError],
  ['two methods', headers(1, [[':method', 'POST'], ...callFields()], endStream), protocolError],
  ['two authorities', headers(1, [[':authority', 'x'], ...callFields()], endStream), protocolError],
  ['a pseudo-header behind another field', twice(':authority', 'x'), protocolError],
  ['CONNECT with a path', withField({ ':method': 'CONNECT' }), protocolError],
  ['a field of HTTP/1.1', withField({ 'transfer-encoding': 'chunked' }), protocolError],
  ['a connection field', withField({ connection: 'close' }), protocolError],
  ['a te that is not trailers', withField({ te: 'gzip' }), protocolError],
  ['a content-length that is no number', withField({ 'content-length': '1e3' }), protocolError],
  [
    'two content-lengths',
    headers(1, [...callFields({ 'content-length': '0' }), ['content-length', '1']], endStream),
    protocolError,
  ],
  ['a content-length without a body', withField({ 'content-length': '5' }), protocolError],
  [
    'less than the content-length',
    Buffer.concat([headers(1, callFields({ 'content-length': '9' })), data(1, prefixed(Buffer.of(1)), endStream)]),
    protocolError,
  ],
  [
    'more than the content-length',
    Buffer.concat([headers(1, callFields({ 'content-length': '5' })), data(1, prefixed(Buffer.of(1)))]),
    protocolError,
  ],
  [
    'trailers before the content-length is there',
    Buffer.concat([headers(1, callFields({ 'content-length': '5' })), headers(1, [['x', '1']], endStream)]),
    protocolError,
  ],
  [
    'a stream that depends on itself',
    frame(headersType, endHeaders | prioritised, 1, Buffer.of(0, 0, 0, 1, 0, 0x83)),
    protocolError,
  ],
  [
    'PRIORITY that depends on itself',
    Buffer.concat([begin, frame(priority, 0, 1, Buffer.of(0, 0, 0, 1, 0))]),
    protocolError,
  ],
  ['PRIORITY of four bytes', Buffer.concat([begin, frame(priority, 0, 1, Buffer.alloc(4))]), frameSizeError],
  ['HEADERS within a request', Buffer.concat([begin, headers(1, [['x', '1']])]), protocolError],
  ['trailers with a pseudo-header', Buffer.concat([begin, headers(1, [[':path', '/']], endStream)]), protocolError],
  ['trailers with a wrong name', Buffer.concat([begin, headers(1, [['X', '1']], endStream)]), protocolError],
  ['DATA behind the end of the request', Buffer.concat([later, data(1, Buffer.from('x'))]), streamClosed],
  ['HEADERS behind the end of the request', Buffer.concat([later, headers(1, [['x', '1']], endStream)]), streamClosed],
  ['a WINDOW_UPDATE of nothing', Buffer.concat([begin, windowUpdate(1, 0)]), protocolError],
  ['a WINDOW_UPDATE above the most', Buffer.concat([begin, windowUpdate(1, 0x7fff_ffff)]), flowControlError],
];

describe('a stream is reset, and its connection goes on, after', () => {
  test.each(streamErrors)('%s', async (_title, bytes, code) => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(bytes, call(3));
    expect((await peer.find(({ type }) => type === rst)).payload).toEqual(uint32(code));
    await peer.find(({ type, stream }) => type === dataType && stream === 3);
    expect(server.asked).toEqual(['hello']);
  });

  test('and what was on its way for it is passed over, its header blocks read', async () => {
    const server = await startNative();
    const peer = await openPeer(server.address);
    peer.send(begin, windowUpdate(1, 0), data(1, Buffer.from('x')), windowUpdate(1, 1), reset(1));
    // The trailers put `x: 1` into the table; the next request refers to it.
    peer.send(frame(headersType, endHeaders | endStream, 1, Buffer.of(0x40, 1, 0x78, 1, 0x31)));
    const request = headers(3, callFields()).subarray(9);
    peer.send(frame(headersType, endHeaders, 3, Buffer.concat([request, Buffer.of(0xbe)])));
    peer.send(data(3, prefixed(Buffer.from('on')), endStream));
    await peer.find(({ type, stream }) => type === dataType && stream === 3);
    expect(peer.frames.filter(({ stream }) => stream === 1).map(({ type }) => type)).toEqual([rst]);
    expect(server.asked).toEqual(['on']);
  });
});

test('frames that are late for a stream that was answered, and frames of unknown types, are passed over', async () => {
  const server = await startNative();
  const peer = await openPeer(server.address);
  peer.send(call(1));
  await peer.find(({ type }) => type === dataType);
  peer.send(windowUpdate(1, 10), reset(1), frame(priority, 0, 1, Buffer.alloc(5)), frame(77, 255, 9, Buffer.alloc(9)));
  peer.send(frame(priority, 0, 99, Buffer.alloc(5)), frame(goaway, 0, 0, Buffer.alloc(8)), call(3));
  await peer.find(({ type, stream }) => type === dataType && stream === 3);
  peer.send(data(1, Buffer.from('x')));
  expect((await peer.find(({ type }) => type === rst)).payload).toEqual(uint32(streamClosed));
  peer.send(call(5));
  await peer.find(({ type, stream }) => type === dataType && stream === 5);
});

test('padding and priority are taken off, and trailers end a request', async () => {
  const server = await startNative();
  const peer = await openPeer(server.address);
  const request = headers(1, callFields()).subarray(9);
  const dressed = Buffer.concat([Buffer.of(3, 0, 0, 0, 0, 7), request, Buffer.alloc(3)]);
  peer.send(frame(headersType, endHeaders | padded | prioritised, 1, dressed));
  peer.send(data(1, Buffer.concat([Buffer.of(2), prefixed(Buffer.from('padded')), Buffer.alloc(2)]), padded));
  peer.send(headers(1, [['x-end', '1']], endStream));
  await peer.find(({ type, stream }) => type === dataType && stream === 1);
  expect(server.asked).toEqual(['padded']);
});
