import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { createHttp2Server } from '../../../src/grpc/http2/server.ts';
import { preface } from '../../../src/grpc/http2/protocol.ts';
import { realTimers } from '../../support/decision-stand.ts';
import { frame, settings, settingsAck } from './support/raw-peer.ts';

test('what waits for a peer that does not read keeps no memory but its own', async () => {
  const server = createHttp2Server<undefined, undefined>({
    createApplication: () => ({
      readHead: () => undefined,
      open: () => undefined,
      data: () => undefined,
      cancelled: () => undefined,
      tick: () => undefined,
    }),
    now: () => 0,
    timers: realTimers,
    onError: () => undefined,
  });
  onTestFinished(() => server.close());
  const written: Buffer[] = [];
  let goOn = (): void => {};
  const socket = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      goOn = done;
    },
  });
  // Of a socket only what every stream has is used here.
  server.take(socket as unknown as Socket);
  socket.push(Buffer.concat([preface, settings(), settingsAck]));
  const pings = Array.from({ length: 20 }, (_ping, i) => frame(6, 0, 0, Buffer.alloc(8, i)));
  for (const ping of pings) {
    socket.push(ping);
    await new Promise((resolve) => void setImmediate(resolve));
  }
  expect(written).toHaveLength(1);
  while (socket.writableLength > 0) {
    goOn();
    await new Promise((resolve) => void setImmediate(resolve));
  }
  const waited = written.slice(1);
  expect(waited.every((chunk) => chunk.buffer.byteLength === chunk.length)).toBe(true);
  // The acknowledgement of SETTINGS, then those of every PING, as they were.
  expect(Buffer.concat(waited)).toEqual(
    Buffer.concat([settingsAck, ...pings.map((_ping, i) => frame(6, 1, 0, Buffer.alloc(8, i)))]),
  );
});
