import { copyBytes } from './copy-bytes.ts';
import { maxContinuations, maxHeaderBlockBytes, requestTimeoutMs } from './limits.ts';
import { ConnectionError, errorCode, frameFlag } from './protocol.ts';

/** Takes a header block that is whole: it lies in `bytes` from `start` to `end`. */
export interface BlockSink {
  /** Monotonic, milliseconds. */
  readonly now: number;
  /** `isLast`: the request ends with it. `isWrong`: it says that the stream depends on itself. */
  block(streamId: number, isLast: boolean, isWrong: boolean, bytes: Buffer, start: number, end: number): void;
}

const priorityBytes = 5;

/** HEADERS and CONTINUATION to whole blocks (RFC 9113 sections 6.2 and 6.10). A class: one for each connection, with what came so far as hidden state. */
export class HeaderBlocks {
  readonly #sink: BlockSink;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #isLast = false;
  #isWrong = false;
  #streamId = 0;
  #beganAt = 0;

  constructor(sink: BlockSink) {
    this.#sink = sink;
  }

  /** The stream whose block is not whole yet, after which nothing else may come; 0: none. */
  get open(): number {
    return this.#streamId;
  }

  headers(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const padding = readPadding(flags, bytes, start, end);
    let from = (flags & frameFlag.padded) === 0 ? start : start + 1;
    const to = end - padding;
    let isWrong = false;
    if ((flags & frameFlag.priority) !== 0) {
      if (to - from < priorityBytes) throw new ConnectionError(errorCode.frameSizeError, 'HEADERS are cut off');
      isWrong = readDependency(bytes, from) === streamId;
      from += priorityBytes;
    }
    if (from > to) throw new ConnectionError(errorCode.protocolError, 'HEADERS have more padding than bytes');
    const isLast = (flags & frameFlag.endStream) !== 0;
    if ((flags & frameFlag.endHeaders) !== 0) {
      this.#sink.block(streamId, isLast, isWrong, bytes, from, to);
      return;
    }
    this.#streamId = streamId;
    this.#beganAt = this.#sink.now;
    this.#isLast = isLast;
    this.#isWrong = isWrong;
    this.#keep(bytes, from, to);
  }

  continuation(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== this.#streamId || streamId === 0) {
      throw new ConnectionError(errorCode.protocolError, 'a CONTINUATION continues nothing');
    }
    this.#keep(bytes, start, end);
    if ((flags & frameFlag.endHeaders) === 0) return;
    const block = Buffer.concat(this.#pieces, this.#bytes);
    this.#streamId = 0;
    this.#pieces = [];
    this.#bytes = 0;
    this.#sink.block(streamId, this.#isLast, this.#isWrong, block, 0, block.length);
  }

  /** Nothing was read for a while, and is from now on: what has begun has all its time again. */
  waitAnew(now: number): void {
    this.#beganAt = now;
  }

  /** Throws a ConnectionError where a block has been begun for too long: its stream cannot be reset, for the table of headers would not be right any more. */
  tick(now: number): void {
    if (this.#streamId === 0 || now - this.#beganAt <= requestTimeoutMs) return;
    throw new ConnectionError(errorCode.enhanceYourCalm, 'a header block was not whole in time');
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    this.#bytes += end - start;
    if (this.#bytes > maxHeaderBlockBytes || this.#pieces.length > maxContinuations) {
      throw new ConnectionError(errorCode.enhanceYourCalm, 'a header block is too long');
    }
    // A copy: the piece must not keep what else came with it.
    this.#pieces.push(copyBytes(bytes, start, end));
  }
}

/** How many bytes at the end are padding (section 6.1). Throws a ConnectionError where that is not less than what is there. */
export function readPadding(flags: number, bytes: Buffer, start: number, end: number): number {
  if ((flags & frameFlag.padded) === 0) return 0;
  if (start === end) throw new ConnectionError(errorCode.frameSizeError, 'a padded frame is empty');
  const padding = bytes[start] ?? 0;
  if (padding >= end - start) throw new ConnectionError(errorCode.protocolError, 'a frame has more padding than bytes');
  return padding;
}

/** The stream that another depends on, in a PRIORITY or at the start of HEADERS (section 5.3.2). */
export function readDependency(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) & 0x7fff_ffff;
}
