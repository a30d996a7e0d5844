import { emptyTableUpdate, firstTableSize } from '../hpack/encode-header-block.ts';
import { maxPendingBytes, maxPendingBytesInAll } from './limits.ts';
import type { Output, OutputOwner } from './output.ts';
import type { ServerLoad } from './server-load.ts';
import {
  ConnectionError,
  defaultWindow,
  errorCode,
  frameFlag,
  frameHeaderBytes,
  frameType,
  maxFrameBytes,
  maxWindow,
} from './protocol.ts';

/** The five bytes before a message: not compressed, its length (gRPC over HTTP/2, Length-Prefixed-Message). */
const prefixBytes = 5;

/** What a stream has to send and may not yet. */
export interface Pending {
  readonly chunks: Uint8Array[];
  /** Of the first chunk, what was sent. */
  offset: number;
  bytes: number;
  /** Undefined where more may come. */
  trailers: Uint8Array | undefined;
  /** Since when nothing of it could be sent; monotonic, milliseconds. */
  since: number;
}

export interface SendingStream {
  readonly id: number;
  /** May be below zero (RFC 9113 section 6.9.2). */
  sendWindow: number;
  pending: Pending | undefined;
}

export interface SenderHost<Stream> extends OutputOwner {
  readonly now: number;
  /** True while the peer does not read what was written: nothing but what must goes out. */
  readonly isCongested: boolean;
  /** The stream's END_STREAM was written. */
  sent(stream: Stream): void;
  /** There is too much to be sent. */
  overflowed(stream: Stream): void;
}

/** Writes answers as the peer's windows allow (section 5.2). A class: one for each connection, with the windows as hidden state. */
export class Sender<Stream extends SendingStream> {
  readonly #output: Output;
  readonly #host: SenderHost<Stream>;
  readonly #load: ServerLoad;
  /** Streams that wait, in the order in which they began to. */
  readonly #blocked = new Set<Stream>();
  /** Those of them that wait for the connection alone: whoever goes through them sends something of each. */
  readonly #ready = new Set<Stream>();
  #pendingBytes = 0;
  #window: number = defaultWindow;
  #initialWindow: number = defaultWindow;
  /** Whether the peer knows of our use of its table of headers (`emptyTableUpdate`). */
  #tableUse: 'as-at-first' | 'to-be-told' | 'none' = 'as-at-first';

  constructor(output: Output, host: SenderHost<Stream>, load: ServerLoad) {
    this.#output = output;
    this.#host = host;
    this.#load = load;
  }

  /** What a new stream may be sent. */
  get initialWindow(): number {
    return this.#initialWindow;
  }

  get blocked(): ReadonlySet<Stream> {
    return this.#blocked;
  }

  /** Sends nothing yet. Throws a ConnectionError where a window becomes more than one may be (section 6.9.2). */
  setInitialWindow(value: number, streams: Iterable<Stream>): void {
    const change = value - this.#initialWindow;
    if (change === 0) return;
    this.#initialWindow = value;
    for (const stream of streams) {
      stream.sendWindow += change;
      if (stream.sendWindow > maxWindow) throw new ConnectionError(errorCode.flowControlError, 'a window is too large');
      if (stream.sendWindow > 0 && stream.pending !== undefined) this.#ready.add(stream);
    }
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE: the next block of headers has to answer one that is smaller than at first. */
  limitTable(size: number): void {
    if (size < firstTableSize && this.#tableUse === 'as-at-first') this.#tableUse = 'to-be-told';
  }

  /** A WINDOW_UPDATE of the connection. */
  openConnection(increment: number): void {
    const wasShut = this.#window <= 0;
    this.#window += increment;
    if (this.#window > maxWindow) throw new ConnectionError(errorCode.flowControlError, 'the window is too large');
    // Where it was open, the streams that wait do so for their own windows.
    if (wasShut) this.resume();
  }

  /** A WINDOW_UPDATE of a stream; false where its window would be more than one may be. */
  openStream(stream: Stream, increment: number): boolean {
    stream.sendWindow += increment;
    if (stream.sendWindow > maxWindow) return false;
    if (stream.pending !== undefined) this.#pump(stream, stream.pending);
    return true;
  }

  /** Sends what may be sent by now. */
  resume(): void {
    for (const stream of this.#ready) {
      if (this.#window <= 0 || this.#host.isCongested) return;
      if (stream.pending !== undefined) this.#pump(stream, stream.pending);
    }
  }

  /** Lets go of what the stream has not sent. */
  forget(stream: Stream): void {
    this.#blocked.delete(stream);
    this.#ready.delete(stream);
    this.#hold(-(stream.pending?.bytes ?? 0));
    stream.pending = undefined;
  }

  answer(stream: Stream, head: Uint8Array, message: Uint8Array, trailers: Uint8Array): void {
    const length = prefixBytes + message.length;
    const isPlain = length <= maxFrameBytes && this.#tableUse !== 'to-be-told' && !this.#host.isCongested;
    if (!isPlain || length > stream.sendWindow || length > this.#window) {
      this.head(stream, head, false);
      if (this.message(stream, message)) this.end(stream, trailers);
      return;
    }
    stream.sendWindow -= length;
    this.#window -= length;
    const output = this.#output;
    output.reserve(this.#host, 3 * frameHeaderBytes + head.length + length + trailers.length);
    output.frameHeader(head.length, frameType.headers, frameFlag.endHeaders, stream.id);
    output.bytes(head);
    output.frameHeader(length, frameType.data, 0, stream.id);
    output.byte(0);
    output.uint32(message.length);
    output.bytes(message);
    output.frameHeader(trailers.length, frameType.headers, frameFlag.endHeaders | frameFlag.endStream, stream.id);
    output.bytes(trailers);
    this.#host.sent(stream);
  }

  /** A block of headers or trailers, shorter than a frame. */
  head(stream: Stream, block: Uint8Array, isLast: boolean): void {
    const output = this.#output;
    const flags = isLast ? frameFlag.endHeaders | frameFlag.endStream : frameFlag.endHeaders;
    const before = this.#tableUse === 'to-be-told' ? 1 : 0;
    output.reserve(this.#host, frameHeaderBytes + before + block.length);
    output.frameHeader(before + block.length, frameType.headers, flags, stream.id);
    if (before > 0) {
      output.byte(emptyTableUpdate);
      this.#tableUse = 'none';
    }
    output.bytes(block);
    if (isLast) this.#host.sent(stream);
  }

  /** False where too much waits, and the host was told. */
  message(stream: Stream, message: Uint8Array): boolean {
    const framed = Buffer.allocUnsafeSlow(prefixBytes + message.length);
    framed[0] = 0;
    framed.writeUInt32BE(message.length, 1);
    framed.set(message, prefixBytes);
    this.#hold(framed.length);
    if (stream.pending === undefined) {
      stream.pending = {
        chunks: [framed],
        offset: 0,
        bytes: framed.length,
        trailers: undefined,
        since: this.#host.now,
      };
      this.#pump(stream, stream.pending);
    } else {
      stream.pending.chunks.push(framed);
      stream.pending.bytes += framed.length;
    }
    if (this.#pendingBytes <= maxPendingBytes && this.#isAffordable(stream)) return true;
    this.#host.overflowed(stream);
    return false;
  }

  end(stream: Stream, trailers: Uint8Array): void {
    if (stream.pending === undefined) this.head(stream, trailers, true);
    else stream.pending.trailers = trailers;
  }

  #isAffordable(stream: Stream): boolean {
    return stream.pending === undefined || this.#load.heldBackBytes <= maxPendingBytesInAll;
  }

  #hold(bytes: number): void {
    this.#pendingBytes += bytes;
    this.#load.heldBackBytes += bytes;
  }

  #pump(stream: Stream, pending: Pending): void {
    while (pending.bytes > 0) {
      const length = Math.min(maxFrameBytes, stream.sendWindow, this.#window, pending.bytes);
      if (length <= 0 || this.#host.isCongested) {
        this.#blocked.add(stream);
        if (stream.sendWindow > 0) this.#ready.add(stream);
        else this.#ready.delete(stream);
        return;
      }
      this.#output.reserve(this.#host, frameHeaderBytes + length);
      this.#output.frameHeader(length, frameType.data, 0, stream.id);
      this.#copy(pending, length);
      stream.sendWindow -= length;
      this.#window -= length;
      this.#hold(-length);
      pending.since = this.#host.now;
    }
    this.#blocked.delete(stream);
    this.#ready.delete(stream);
    stream.pending = undefined;
    if (pending.trailers !== undefined) this.head(stream, pending.trailers, true);
  }

  #copy(pending: Pending, length: number): void {
    pending.bytes -= length;
    for (let left = length; left > 0;) {
      const chunk = pending.chunks[0];
      if (chunk === undefined) return;
      const copied = Math.min(left, chunk.length - pending.offset);
      this.#output.bytes(chunk.subarray(pending.offset, pending.offset + copied));
      pending.offset += copied;
      left -= copied;
      if (pending.offset < chunk.length) continue;
      pending.chunks.shift();
      pending.offset = 0;
    }
  }
}
