import { encodeFailedAnswer, encodeHttpAnswer } from './answer-blocks.ts';
import type { RequestHead } from './http2/request-head.ts';
import { parseTimeout } from './parse-timeout.ts';
import type { BoundMethod } from './bind-methods.ts';

/** What a request's head asks for. */
export type CallHead =
  | {
      readonly kind: 'call';
      readonly method: BoundMethod;
      /** Undefined where the caller waits for ever. */
      readonly timeoutMs: number | undefined;
      /** What `grpc-encoding` says; undefined for messages that are not compressed. */
      readonly compression: string | undefined;
    }
  | {
      readonly kind: 'refused';
      /** The whole answer, a header block. */
      readonly answer: Uint8Array;
    };

const postOnly = encodeHttpAnswer(405, [['allow', 'POST']]);
const noGrpc = encodeHttpAnswer(415);
const unknownMethod = encodeFailedAnswer('UNIMPLEMENTED', 'The method is unknown.');
const badTimeout = encodeFailedAnswer('INTERNAL', 'The grpc-timeout is none.');
const grpcType = /^application\/grpc(?:$|[+;])/u;

export function readCallHead(head: RequestHead, methods: ReadonlyMap<string, BoundMethod>): CallHead {
  if (head.method !== 'POST') return { kind: 'refused', answer: postOnly };
  if (!grpcType.test(head.contentType ?? '')) return { kind: 'refused', answer: noGrpc };
  const method = methods.get(head.path);
  if (method === undefined) return { kind: 'refused', answer: unknownMethod };
  const timeoutMs = head.grpcTimeout === undefined ? undefined : parseTimeout(head.grpcTimeout);
  if (head.grpcTimeout !== undefined && timeoutMs === undefined) return { kind: 'refused', answer: badTimeout };
  const compression = head.grpcEncoding === 'identity' ? undefined : head.grpcEncoding;
  return { kind: 'call', method, timeoutMs, compression };
}
