import { expect, test, vi } from 'vitest';
import { createGrpcApplication } from '../../../src/grpc/grpc-application.ts';
import type { GrpcCall } from '../../../src/grpc/grpc-call.ts';
import { maxConcurrentStreams } from '../../../src/grpc/http2/limits.ts';
import { Output } from '../../../src/grpc/http2/output.ts';
import { HeadReader } from '../../../src/grpc/http2/request-head.ts';
import { createServerLoad } from '../../../src/grpc/http2/server-load.ts';
import { Session } from '../../../src/grpc/http2/session.ts';
import { createMessageBudgets } from '../../../src/grpc/message-budget.ts';
import { createOpenStreams } from '../../../src/grpc/open-streams.ts';
import type { CallHead } from '../../../src/grpc/read-call-head.ts';
import { heapGrowth } from '../../support/heap-growth.ts';
import { realClock, recordingLog } from '../envoy/envoy-fixtures.ts';
import { framesIn } from './support/differential/frames.ts';
import { callFields, headers, settings } from './support/raw-peer.ts';

// Two cores that others share may need longer than the usual five seconds.
vi.setConfig({ testTimeout: 60_000 });

const log = recordingLog();
const [load, output, headReader, openStreams] = [
  createServerLoad(),
  new Output(),
  new HeadReader(),
  createOpenStreams(),
];
const maxReceiveBytes = 8 * 1024 * 1024;
const createBudget = createMessageBudgets(maxReceiveBytes);
const methods = new Map([
  ['/test.Test/Echo', { kind: 'unary' as const, fallback: undefined, answer: (request: Uint8Array) => request }],
]);

/** What a connection has beside its socket, after these frames. */
function openSession(...frames: readonly Buffer[]): Session<CallHead, GrpcCall> {
  const session = new Session(
    {
      application: createGrpcApplication(methods, {
        clock: realClock,
        log,
        maxReceiveBytes,
        budget: createBudget(),
        openStreams,
        peer: { count: 0, bytes: 0 },
      }),
      output,
      headReader,
      load,
    },
    {
      isCongested: false,
      write: () => true,
      wake: () => undefined,
      settingsAcknowledged: () => undefined,
      pingAcknowledged: () => undefined,
    },
    0,
  );
  for (const { type, flags, stream, payload } of framesIn(Buffer.concat([settings(), ...frames])))
    session.frame(type, flags, stream, payload, 0, payload.length);
  output.flush();
  return session;
}

const begun = (id: number): Buffer => headers(id, callFields());

test('a connection that rests takes a few kilobytes beside its socket, also after a call', () => {
  openSession(begun(1));
  expect(heapGrowth(1000, () => openSession()) / 1000).toBeLessThan(5000);
  expect(heapGrowth(1000, () => openSession(headers(1, callFields({ ':path': '/none' }), 1))) / 1000).toBeLessThan(
    8000,
  );
});

test('a call that has begun takes less than a kilobyte', () => {
  const all = Buffer.concat(Array.from({ length: maxConcurrentStreams }, (_call, i) => begun(i * 2 + 1)));
  openSession(all);
  expect(heapGrowth(5, () => openSession(all)) / 5 / maxConcurrentStreams).toBeLessThan(1000);
});

test('a table of headers that is full takes some tens of kilobytes', () => {
  const literal = (text: string): Buffer => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);
  const fields = Array.from({ length: 500 }, (_field, i) =>
    Buffer.concat([Buffer.of(0x40), literal('x'), literal(String(i))]),
  );
  const block = headers(1, callFields()).subarray(9);
  const bytes = Buffer.concat([block, ...fields]);
  const header = Buffer.alloc(9);
  header.writeUIntBE(bytes.length, 0, 3);
  header.writeUInt8(1, 3);
  header.writeUInt8(5, 4);
  header.writeUInt32BE(1, 5);
  const full = Buffer.concat([header, bytes]);
  openSession(full);
  expect(heapGrowth(200, () => openSession(full)) / 200).toBeLessThan(40_000);
});
