import { ConnectionError, errorCode, frameHeaderBytes, maxFrameBytes } from './protocol.ts';

/** Takes a frame where it lies: its payload is `bytes` from `start` to `end`. */
export interface FrameSink {
  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void;
}

/**
 * Finds the frames in what a socket gives (RFC 9113 section 4.1). A frame that is whole in one chunk is not copied; the beginning of another waits here. Throws
 * a ConnectionError for a frame that is too long. A class: one for each connection, and what waits is its hidden state.
 */
export class FrameReader {
  /** The beginning of a frame; undefined where the last chunk ended with one. */
  #rest: Buffer | undefined;
  #have = 0;
  #waitingSince = 0;

  /** When the beginning came of a frame that is not whole; undefined where there is none. */
  get waitingSince(): number | undefined {
    return this.#rest === undefined ? undefined : this.#waitingSince;
  }

  /** Its rest could not come before now. */
  waitAnew(now: number): void {
    this.#waitingSince = now;
  }

  /** `now`: monotonic, milliseconds. */
  read(chunk: Buffer, from: number, now: number, sink: FrameSink): void {
    let at = this.#rest === undefined ? from : this.#complete(this.#rest, chunk, from, sink);
    while (chunk.length - at >= frameHeaderBytes) {
      const end = at + frameHeaderBytes + lengthAt(chunk, at);
      if (end > chunk.length) break;
      tell(chunk, at, end, sink);
      at = end;
    }
    if (at === chunk.length) return;
    this.#keep(chunk, at);
    this.#waitingSince = now;
  }

  /** Goes on with a frame that began earlier; answers where the next one begins. */
  #complete(rest: Buffer, chunk: Buffer, from: number, sink: FrameSink): number {
    let frame = rest;
    let at = from;
    if (this.#have < frameHeaderBytes) {
      at = this.#fill(frame, frameHeaderBytes, chunk, at);
      if (this.#have < frameHeaderBytes) return at;
      frame = Buffer.allocUnsafeSlow(frameHeaderBytes + lengthAt(rest, 0));
      rest.copy(frame, 0, 0, frameHeaderBytes);
      this.#rest = frame;
    }
    at = this.#fill(frame, frame.length, chunk, at);
    if (this.#have < frame.length) return at;
    this.#rest = undefined;
    tell(frame, 0, frame.length, sink);
    return at;
  }

  /** Copies until `upTo` bytes of the frame are there, or the chunk is used up. */
  #fill(frame: Buffer, upTo: number, chunk: Buffer, from: number): number {
    const copied = chunk.copy(frame, this.#have, from, from + upTo - this.#have);
    this.#have += copied;
    return from + copied;
  }

  #keep(chunk: Buffer, at: number): void {
    const have = chunk.length - at;
    const size = have < frameHeaderBytes ? 0 : lengthAt(chunk, at);
    const rest = Buffer.allocUnsafeSlow(frameHeaderBytes + size);
    chunk.copy(rest, 0, at);
    this.#rest = rest;
    this.#have = have;
  }
}

function tell(bytes: Buffer, at: number, end: number, sink: FrameSink): void {
  const streamId =
    (((bytes[at + 5] ?? 0) & 0x7f) << 24) |
    ((bytes[at + 6] ?? 0) << 16) |
    ((bytes[at + 7] ?? 0) << 8) |
    (bytes[at + 8] ?? 0);
  sink.frame(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, streamId, bytes, at + frameHeaderBytes, end);
}

function lengthAt(bytes: Buffer, at: number): number {
  const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  if (length > maxFrameBytes) throw new ConnectionError(errorCode.frameSizeError, 'a frame is too long');
  return length;
}
