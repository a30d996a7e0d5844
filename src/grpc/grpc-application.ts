import type { BoundMethod } from './bind-methods.ts';
import { GrpcCall, type CallParts } from './grpc-call.ts';
import type { Http2Application } from './http2/application.ts';
import { readCallHead, type CallHead } from './read-call-head.ts';

/** Answers the requests of one connection as gRPC over HTTP/2 says. */
export function createGrpcApplication(
  methods: ReadonlyMap<string, BoundMethod>,
  parts: CallParts,
): Http2Application<CallHead, GrpcCall> {
  return {
    readHead: (head) => readCallHead(head, methods),
    open(stream, head, isEnded) {
      if (head.kind === 'refused') {
        stream.answerHead(head.answer);
        return;
      }
      const call = new GrpcCall(stream, head.method, parts, head.timeoutMs, head.compression !== undefined);
      stream.exchange = call;
      if (isEnded) call.data(nothing, 0, 0, true);
    },
    data: (stream, bytes, start, end, isEnded) => stream.exchange?.data(bytes, start, end, isEnded),
    cancelled: (stream) => stream.exchange?.cancel(),
    tick: (stream, now) => stream.exchange?.tick(now),
  };
}

const nothing = Buffer.alloc(0);
