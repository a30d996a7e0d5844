import { connect } from 'node:net';
import {
  decodeFrames,
  decodeStatus,
  encodeFrame,
  encodeHeaderBlock,
  flag,
  frameType,
  preface,
  type Frame,
} from './http2-frames.ts';

export type RawHttp2Answer =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** RST_STREAM or GOAWAY before the answer was whole: the error code of RFC 9113 7. */
  | { readonly kind: 'reset'; readonly code: number };

const timeoutMs = 10_000;

/**
 * One HTTP/2 request without a body, by prior knowledge: the header fields as they are given, pseudo headers among them, in their order,
 * also those that a client of Node's refuses to send (`authorization` twice, `host` beside `:authority`). Rejects where no answer comes.
 */
export function rawHttp2(
  port: number,
  headers: readonly (readonly [name: string, value: string])[],
): Promise<RawHttp2Answer> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    const answer = new AnswerReader();
    const socket = connect(port, '127.0.0.1');
    const finish = (result: RawHttp2Answer): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer in time')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed without an answer')));
    socket.on('data', (chunk) => {
      const { frames, rest } = decodeFrames(Buffer.concat([received, chunk]));
      received = rest;
      for (const frame of frames) {
        const isSettings = frame.type === frameType.settings && (frame.flags & flag.ack) === 0;
        if (isSettings) socket.write(encodeFrame(frameType.settings, flag.ack, 0, Buffer.alloc(0)));
        const result = answer.read(frame);
        if (result !== undefined) finish(result);
      }
    });
    const request = encodeFrame(frameType.headers, flag.endStream | flag.endHeaders, 1, encodeHeaderBlock(headers));
    socket.write(Buffer.concat([preface, encodeFrame(frameType.settings, 0, 0, Buffer.alloc(0)), request]));
  });
}

/** Puts the answer to the one stream together. */
class AnswerReader {
  #status: number | undefined;
  readonly #body: Buffer[] = [];

  /** The answer once it is whole. */
  read({ type, flags, payload }: Frame): RawHttp2Answer | undefined {
    switch (type) {
      case frameType.resetStream:
        return { kind: 'reset', code: payload.readUInt32BE(0) };
      case frameType.goAway:
        return { kind: 'reset', code: payload.readUInt32BE(4) };
      case frameType.headers:
        this.#status ??= decodeStatus(withoutPriority(payload, flags));
        break;
      case frameType.data:
        this.#body.push(payload);
        break;
      default:
        return undefined;
    }
    if ((flags & flag.endStream) === 0) return undefined;
    return { kind: 'answer', status: this.#status ?? 0, body: Buffer.concat(this.#body).toString('utf8') };
  }
}

function withoutPriority(payload: Buffer, flags: number): Buffer {
  return (flags & flag.priority) === 0 ? payload : payload.subarray(5);
}
