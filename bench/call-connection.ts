import type { Socket } from 'node:net';
import { connectTo, type CallAddress } from './call-address.ts';
import type { CallHeaders } from './call-headers.ts';
import {
  createFrameReader,
  encodeFrame,
  encodeWindowUpdate,
  frameFlag,
  frameHeaderBytes,
  frameType,
  writeFrameHeader,
  type Frame,
} from './http2-frames.ts';

/** Gets the first bytes of the answer's message, its five bytes of gRPC prefix included; undefined where the call failed. */
export type OnAnswer = (start: Buffer | undefined) => void;

/**
 * A connection that makes unary gRPC calls over HTTP/2 with prior knowledge. It speaks the protocol itself and reads of an answer only how its
 * message begins: Node's own client takes more time for a call than the bare servers, and would be what is measured.
 */
export interface CallConnection {
  /** Sends one message with its gRPC prefix, at most 16384 bytes, as soon as the server's flow control lets it. */
  call(message: Uint8Array, onAnswer: OnAnswer): void;
  close(): void;
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** How much may come in before the connection's window is opened again, bytes. */
const windowStep = 16 * 1024 * 1024;

export async function openCallConnection(address: CallAddress, headers: CallHeaders): Promise<CallConnection> {
  return new RawConnection(await connectTo(address), headers);
}

interface Waiting {
  readonly message: Uint8Array;
  readonly onAnswer: OnAnswer;
}

class RawConnection implements CallConnection {
  readonly #socket: Socket;
  readonly #headers: CallHeaders;
  /** Calls that were sent, by stream. */
  readonly #open = new Map<number, { readonly onAnswer: OnAnswer; start: Buffer | undefined }>();
  readonly #waiting: Waiting[] = [];
  #outgoing: Buffer[] = [];
  #nextStream = 1;
  /** What the server still takes on this connection (RFC 9113 section 5.2), bytes. One stream's own window is never filled. */
  #sendWindow = 65_535;
  #received = 0;

  constructor(socket: Socket, headers: CallHeaders) {
    this.#socket = socket;
    this.#headers = headers;
    socket.on(
      'data',
      createFrameReader((frame) => this.#onFrame(frame)),
    );
    socket.on('error', () => this.#fail());
    socket.on('close', () => this.#fail());
    this.#send(preface, encodeFrame(frameType.settings, 0, 0, Buffer.alloc(0)), encodeWindowUpdate(0, windowStep * 2));
  }

  call(message: Uint8Array, onAnswer: OnAnswer): void {
    if (this.#socket.destroyed) {
      process.nextTick(onAnswer, undefined);
      return;
    }
    this.#waiting.push({ message, onAnswer });
    this.#sendWaiting();
  }

  close(): void {
    this.#socket.destroy();
  }

  #sendWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (next.message.length > this.#sendWindow) return;
      this.#waiting.shift();
      this.#sendCall(next);
    }
  }

  #sendCall({ message, onAnswer }: Waiting): void {
    const stream = this.#nextStream;
    const block = stream === 1 ? this.#headers.first : this.#headers.later;
    const data = frameHeaderBytes + block.length;
    const bytes = Buffer.allocUnsafe(data + frameHeaderBytes + message.length);
    writeFrameHeader(bytes, 0, {
      length: block.length,
      type: frameType.headers,
      flags: frameFlag.endHeaders,
      stream,
    });
    bytes.set(block, frameHeaderBytes);
    writeFrameHeader(bytes, data, {
      length: message.length,
      type: frameType.data,
      flags: frameFlag.endStream,
      stream,
    });
    bytes.set(message, data + frameHeaderBytes);
    this.#nextStream += 2;
    this.#sendWindow -= message.length;
    this.#open.set(stream, { onAnswer, start: undefined });
    this.#send(bytes);
  }

  /** What is sent within one turn goes out in one write. */
  #send(...frames: readonly Buffer[]): void {
    if (this.#outgoing.length === 0) process.nextTick(() => this.#flush());
    this.#outgoing.push(...frames);
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#outgoing);
    this.#outgoing = [];
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  #onFrame({ type, flags, stream, payload }: Frame): void {
    switch (type) {
      case frameType.data:
        this.#onData(stream, payload);
        if ((flags & frameFlag.endStream) !== 0) this.#end(stream);
        return;
      case frameType.headers:
        if ((flags & frameFlag.endStream) !== 0) this.#end(stream);
        return;
      case frameType.rstStream:
        this.#end(stream, false);
        return;
      case frameType.settings:
        if ((flags & frameFlag.ack) === 0) {
          this.#send(encodeFrame(frameType.settings, frameFlag.ack, 0, Buffer.alloc(0)));
        }
        return;
      case frameType.ping:
        if ((flags & frameFlag.ack) === 0) {
          this.#send(encodeFrame(frameType.ping, frameFlag.ack, 0, Buffer.from(payload)));
        }
        return;
      case frameType.windowUpdate:
        if (stream !== 0) return;
        this.#sendWindow += payload.readUInt32BE() & 0x7fff_ffff;
        this.#sendWaiting();
        return;
      case frameType.goaway:
        this.#socket.destroy();
        return;
      default:
    }
  }

  #onData(stream: number, payload: Buffer): void {
    const call = this.#open.get(stream);
    if (call !== undefined && call.start === undefined && payload.length > 0) call.start = payload;
    this.#received += payload.length;
    if (this.#received < windowStep) return;
    this.#send(encodeWindowUpdate(0, this.#received));
    this.#received = 0;
  }

  #end(stream: number, answered = true): void {
    const call = this.#open.get(stream);
    this.#open.delete(stream);
    call?.onAnswer(answered ? call.start : undefined);
  }

  #fail(): void {
    const calls = [...this.#open.values(), ...this.#waiting];
    this.#open.clear();
    this.#waiting.length = 0;
    for (const { onAnswer } of calls) onAnswer(undefined);
  }
}
