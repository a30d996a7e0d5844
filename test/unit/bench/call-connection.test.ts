import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { afterEach, expect, test } from 'vitest';
import { openCallConnection, type CallConnection } from '../../../bench/call-connection.ts';
import { encodeCallHeaders } from '../../../bench/call-headers.ts';

type Seen = { readonly headers: Record<string, unknown>; readonly bytes: number };

let closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers) close();
  closers = [];
});

async function connectTo(onStream: (stream: ServerHttp2Stream, seen: Seen) => void): Promise<CallConnection> {
  const server: Http2Server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    let bytes = 0;
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    stream.on('end', () => onStream(stream, { headers: { ...headers }, bytes }));
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : 0);
    });
  });
  const connection = await openCallConnection(
    { kind: 'tcp', port },
    encodeCallHeaders('/service/Method', 'bench.example'),
  );
  closers.push(() => {
    connection.close();
    for (const session of sessions) session.destroy();
    server.close();
  });
  return connection;
}

function call(connection: CallConnection, message: Uint8Array): Promise<string | undefined> {
  return new Promise((resolve) => {
    connection.call(message, (start) => resolve(start?.toString('latin1')));
  });
}

function answer(stream: ServerHttp2Stream, text: string): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(text);
}

test('every call arrives with its headers and bytes and gets its own answer, also beyond the window of the connection', async () => {
  const seen: Seen[] = [];
  const connection = await connectTo((stream, one) => {
    seen.push(one);
    answer(stream, `${one.bytes}`);
  });
  const sizes = Array.from({ length: 100 }, (_size, index) => 4000 + index);
  const answers = await Promise.all(sizes.map((size) => call(connection, Buffer.alloc(size))));
  expect(answers).toEqual(sizes.map(String));
  const expected = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': '/service/Method',
    ':authority': 'bench.example',
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': '5000m',
  };
  expect([seen[0]?.headers, seen.at(-1)?.headers]).toMatchObject([expected, expected]);
});

test('a call that is answered without a message, reset or cut off has no answer, and none after the connection is gone', async () => {
  const connection = await connectTo((stream, { bytes }) => {
    if (bytes === 1) stream.respond({ ':status': 200, 'grpc-status': '14' }, { endStream: true });
    else if (bytes === 2) stream.close(2);
    else if (bytes === 3) stream.session?.destroy();
    else answer(stream, 'good');
  });
  const ask = (size: number): Promise<string | undefined> => call(connection, Buffer.alloc(size));
  expect([await ask(9), await ask(1), await ask(2), await ask(9)]).toEqual(['good', undefined, undefined, 'good']);
  expect([await ask(3), await ask(9)]).toEqual([undefined, undefined]);
});
