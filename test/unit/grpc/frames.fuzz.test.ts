import fc from 'fast-check';
import { expect, test } from 'vitest';
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
  windowUpdate,
} from './support/raw-peer.ts';

const streamId = fc.oneof(fc.constantFrom(0, 1, 2, 3, 5, 7, 9), fc.integer({ min: 0, max: 0x7fff_ffff }));
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.constantFrom(4, 5, 6, 8).chain((length) => fc.uint8Array({ minLength: length, maxLength: length })),
);
const anyFrame = fc
  .tuple(fc.integer({ min: 0, max: 11 }), fc.integer({ min: 0, max: 255 }), streamId, payload)
  .map(([type, flags, stream, bytes]) => frame(type, flags, stream, bytes));
/** What is right at the right time, and wrong at any other. */
const usualFrame = fc
  .tuple(streamId, fc.integer({ min: 0, max: 0x7fff_ffff }), fc.uint8Array({ maxLength: 40 }))
  .chain(([stream, number, bytes]) =>
    fc.constantFrom(
      call(stream),
      call(stream, bytes, '/test.Test/Later'),
      call(stream, bytes, '/test.Test/Watch'),
      headers(stream, callFields()),
      headers(stream, callFields({ 'grpc-timeout': '1m' }), 1),
      headers(stream, [['x', 'y']], 1),
      data(stream, prefixed(bytes)),
      data(stream, bytes, 1),
      data(stream, bytes, 8),
      reset(stream, number),
      windowUpdate(stream, number),
      windowUpdate(0, number % 1000),
      settings([4, number]),
      settings([4, number % 100]),
      frame(1, 0, stream, bytes),
      frame(9, 4, stream, bytes),
    ),
  );
/** Frames in some order, their bytes changed here and there, cut into chunks anywhere. */
const conversation = fc.record({
  frames: fc.array(fc.oneof({ weight: 3, arbitrary: usualFrame }, { weight: 1, arbitrary: anyFrame }), {
    minLength: 1,
    maxLength: 12,
  }),
  changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 2 }),
  cuts: fc.array(fc.nat(), { maxLength: 3 }),
});

test('whatever comes, nobody else notices, and no mistake is ours', { timeout: 60_000 }, async () => {
  const server = await startNative();
  const bystander = await openPeer(server.address);
  let next = 1;
  await fc.assert(
    fc.asyncProperty(conversation, async ({ frames, changes, cuts }) => {
      const bytes = Buffer.concat(frames);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const peer = await openPeer(server.address);
      let from = 0;
      for (const cut of cuts.map((at) => at % bytes.length).sort((a, b) => a - b)) {
        peer.send(bytes.subarray(from, cut));
        from = cut;
        await new Promise((resolve) => void setImmediate(resolve));
      }
      peer.send(bytes.subarray(from));
      const id = next;
      next += 2;
      bystander.send(call(id));
      await bystander.find(({ type, stream }) => type === 0 && stream === id);
      for (const answer of server.waiting.splice(0)) answer(Buffer.from('later'));
      for (const stream of server.watchers.splice(0)) stream.send(Buffer.from('news'));
      server.advance(300);
      await bystander.settle();
      peer.socket.destroy();
    }),
    { numRuns: 400 },
  );
  expect(server.log.filter((line) => !line.startsWith('debug'))).toEqual([]);
});
