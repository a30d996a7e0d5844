import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import type { Method } from '../../../src/grpc/transport.ts';
import { callFields, data, frame, headers, openPeer, prefixed, type RawPeer } from '../grpc/support/raw-peer.ts';
import { createBlockReader } from '../grpc/support/read-block.ts';
import { transportNames, transports, type TransportName } from './check-server.ts';
import { realClock, realTimers, recordingLog } from './envoy-fixtures.ts';

const endStream = 1;
const methods: readonly Method[] = [
  { kind: 'unary', path: '/test.Test/Echo', fallback: undefined, handle: (request) => request },
  { kind: 'unary', path: '/test.Test/Soon', fallback: undefined, handle: (request) => Promise.resolve(request) },
  {
    kind: 'unary',
    path: '/test.Test/Fails',
    fallback: undefined,
    handle() {
      throw new Error('failed');
    },
  },
  {
    kind: 'unary',
    path: '/test.Test/Falls',
    fallback: Buffer.from('back'),
    handle: () => Promise.reject(new Error('failed')),
  },
];

async function start(kind: TransportName): Promise<string> {
  const log = recordingLog();
  const transport = transports[kind](methods, { clock: realClock, timers: realTimers, log, maxReceiveBytes: 100 });
  onTestFinished(() => transport.close());
  return transport.listen('127.0.0.1:0');
}

const whole = fc.uint8Array({ maxLength: 100 }).map((bytes) => prefixed(bytes));

/** The body of a request: messages, right or not, cut into frames. */
const body = fc
  .record({
    messages: fc.oneof(
      { weight: 6, arbitrary: fc.tuple(whole) },
      fc.constant([]),
      fc.tuple(whole, whole),
      fc.tuple(fc.uint8Array({ minLength: 101, maxLength: 200 }).map((bytes) => prefixed(bytes))),
      // A piece behind a whole message is told apart: transport-differences.test.ts.
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }).map((bytes) => prefixed(bytes).subarray(0, -1))),
    ),
    cuts: fc.array(fc.nat(), { maxLength: 4 }),
  })
  .map(({ messages, cuts }) => {
    const bytes = Buffer.concat(messages);
    const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
    return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
  });

const request = fc.record({
  fields: fc.record({
    ':path': fc.constantFrom(
      ...methods.map(({ path }) => path),
      ...methods.map(({ path }) => path),
      '/test.Test/None',
      '/test.Test/Echo/',
      '/',
      '//',
      '/test.Test/echo',
    ),
    'content-type': fc.constantFrom(
      'application/grpc',
      'application/grpc',
      'application/grpc+proto',
      'application/json',
      'text/plain',
    ),
    'grpc-timeout': fc.constantFrom(undefined, undefined, '10S', '99999999u', '1H', 'x', '1'),
    'grpc-encoding': fc.constantFrom(undefined, undefined, 'identity'),
    te: fc.constantFrom('trailers', undefined),
    'user-agent': fc.constantFrom(undefined, 'test'),
  }),
  body,
  end: fc.constantFrom('with the last DATA', 'with empty DATA', 'with trailers'),
});
type Request = typeof request extends fc.Arbitrary<infer Value> ? Value : never;

const usualFields: Request['fields'] = {
  ':path': '/test.Test/Echo',
  'content-type': 'application/grpc',
  'grpc-timeout': undefined,
  'grpc-encoding': undefined,
  te: 'trailers',
  'user-agent': undefined,
};

function framesOf({ fields, body: pieces, end }: Request): Buffer {
  const last = pieces.length - 1;
  const frames = pieces.map((piece, i) => data(1, piece, i === last && end === 'with the last DATA' ? endStream : 0));
  const ending = {
    'with the last DATA': [],
    'with empty DATA': [data(1, Buffer.alloc(0), endStream)],
    'with trailers': [headers(1, [['x-end', '1']], endStream)],
  };
  return Buffer.concat([headers(1, callFields({ ...fields, ':authority': 'test' })), ...frames, ...ending[end]]);
}

/** What a client makes of the answer: the status of HTTP, that of gRPC, the bytes. */
async function exchange(address: string, bytes: Buffer): Promise<object> {
  const peer: RawPeer = await openPeer(address);
  peer.send(bytes);
  await peer.find(({ type, stream, flags }) => stream === 1 && (type === 3 || (type < 2 && (flags & endStream) !== 0)));
  const read = createBlockReader();
  const fields = new Map<string, string>();
  const received: Buffer[] = [];
  for (const { type, stream, flags, payload } of peer.frames) {
    if (stream !== 1) continue;
    if (type === 1)
      for (const [name, value] of read((flags & 0x20) === 0 ? payload : payload.subarray(5))) fields.set(name, value);
    if (type === 0) received.push(payload);
  }
  // The connection is as good as before.
  peer.send(frame(6, 0, 0, Buffer.alloc(8)));
  await peer.find(({ type, flags }) => type === 6 && flags === 1);
  peer.socket.destroy();
  return {
    http: fields.get(':status'),
    status: fields.get('grpc-status'),
    bytes: Buffer.concat(received).toString('hex'),
  };
}

test('both transports answer any call alike', { timeout: 60_000 }, async () => {
  const [library, native] = [await start(transportNames[0]), await start(transportNames[1])];
  const hello = { http: '200', status: '0', bytes: prefixed(Buffer.from('hello')).toString('hex') };
  const usual = framesOf({
    fields: usualFields,
    body: [Buffer.from(prefixed(Buffer.from('hello')))],
    end: 'with the last DATA',
  });
  expect([await exchange(library, usual), await exchange(native, usual)]).toEqual([hello, hello]);
  await fc.assert(
    fc.asyncProperty(request, async (one) => {
      const bytes = framesOf(one);
      expect(await exchange(native, bytes)).toEqual(await exchange(library, bytes));
    }),
    { numRuns: 300 },
  );
});
