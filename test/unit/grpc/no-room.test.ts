import { expect, test } from 'vitest';
import { createGrpcApplication } from '../../../src/grpc/grpc-application.ts';
import type { GrpcCall } from '../../../src/grpc/grpc-call.ts';
import { Http2Stream, type StreamHost } from '../../../src/grpc/http2/stream.ts';
import type { MessageBudget, UnfinishedMessage } from '../../../src/grpc/message-budget.ts';
import { createOpenStreams } from '../../../src/grpc/open-streams.ts';
import { realClock, recordingLog } from '../envoy/envoy-fixtures.ts';
import { prefixed } from './support/raw-peer.ts';
import { createHpackModel } from './support/hpack-model.ts';

/** A call whose message comes in two pieces, and what is answered to it. */
function openCall(fallback: Uint8Array | undefined, hasRoom: boolean) {
  const answers: string[] = [];
  const began: UnfinishedMessage[] = [];
  const budget: MessageBudget = {
    take: (_bytes, message) => (began.push(message), hasRoom),
    give: () => undefined,
    finished: () => undefined,
  };
  const host: StreamHost<GrpcCall> = {
    now: 0,
    abandoned: 0,
    waiting: 0,
    sendAnswer(stream, _head, message) {
      answers.push(Buffer.from(message).toString());
      stream.isOpen = false;
    },
    sendHead(stream, head) {
      answers.push(
        `grpc-status ${
          createHpackModel()
            .read(Buffer.from(head))
            ?.find(([name]) => name === 'grpc-status')?.[1] ?? ''
        }`,
      );
      stream.isOpen = false;
    },
    sendMessage: () => undefined,
    sendEnd: () => undefined,
    resetStream: () => undefined,
  };
  const application = createGrpcApplication(
    new Map([['/m', { kind: 'unary' as const, fallback, answer: () => Buffer.from('answer') }]]),
    {
      clock: realClock,
      log: recordingLog(),
      maxReceiveBytes: 1000,
      budget,
      openStreams: createOpenStreams(),
      peer: { count: 0, bytes: 0 },
    },
  );
  const stream = new Http2Stream<GrpcCall>(1, host, 65_535, undefined);
  const head = application.readHead({
    method: 'POST',
    path: '/m',
    contentType: 'application/grpc',
    contentLength: undefined,
    grpcTimeout: undefined,
    grpcEncoding: undefined,
  });
  application.open(stream, head, false);
  const bytes = prefixed(Buffer.from('a message'));
  application.data(stream, bytes, 0, 7, false);
  const end = (): void => application.data(stream, bytes, 7, bytes.length, true);
  return { answers, began, end };
}

test('a message for which there is no room is answered with the fallback of its method, or RESOURCE_EXHAUSTED', () => {
  expect(openCall(Buffer.from('deny'), false).answers).toEqual(['deny']);
  expect(openCall(undefined, false).answers).toEqual(['grpc-status 8']);
});

test('a message that has to make room is answered so too, unless it is whole', () => {
  const unfinished = openCall(Buffer.from('deny'), true);
  unfinished.began[0]?.giveUp();
  unfinished.began[0]?.giveUp();
  unfinished.end();
  expect(unfinished.answers).toEqual(['deny']);
  const whole = openCall(Buffer.from('deny'), true);
  whole.end();
  whole.began[0]?.giveUp();
  expect(whole.answers).toEqual(['answer']);
});
