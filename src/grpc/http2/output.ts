import { frameHeaderBytes, frameType, frameFlag, type ErrorCode } from './protocol.ts';

/** Whose bytes are written. */
export interface OutputOwner {
  /** Sends the bytes. True where they were sent at once, so that their place may be used again. */
  write(bytes: Buffer): boolean;
}

const slabBytes = 64 * 1024;

/**
 * Where frames are written until the turn of a connection is over and all leave in one write. One for all connections: while one writes, what another
 * has written leaves first. A class: every frame goes through it, and its place is hidden state.
 */
export class Output {
  #slab = Buffer.allocUnsafeSlow(slabBytes);
  #start = 0;
  #at = 0;
  #owner: OutputOwner | undefined;

  /** Makes room for so many bytes; the methods below then write for this owner. */
  reserve(owner: OutputOwner, bytes: number): void {
    if (this.#owner !== owner) {
      this.flush();
      this.#owner = owner;
    }
    if (this.#at + bytes <= this.#slab.length) return;
    this.flush();
    this.#owner = owner;
    if (this.#at + bytes <= this.#slab.length) return;
    this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes));
    this.#start = 0;
    this.#at = 0;
  }

  /** Sends what is there, whosever it is. */
  flush(): void {
    const owner = this.#owner;
    this.#owner = undefined;
    if (owner === undefined || this.#at === this.#start) return;
    const bytes = this.#slab.subarray(this.#start, this.#at);
    const start = this.#start;
    this.#start = this.#at;
    if (owner.write(bytes)) {
      this.#start = start;
      this.#at = start;
    }
  }

  frameHeader(length: number, type: number, flags: number, streamId: number): void {
    const slab = this.#slab;
    const at = this.#at;
    slab[at] = length >>> 16;
    slab[at + 1] = length >>> 8;
    slab[at + 2] = length;
    slab[at + 3] = type;
    slab[at + 4] = flags;
    slab[at + 5] = streamId >>> 24;
    slab[at + 6] = streamId >>> 16;
    slab[at + 7] = streamId >>> 8;
    slab[at + 8] = streamId;
    this.#at = at + frameHeaderBytes;
  }

  uint32(value: number): void {
    const slab = this.#slab;
    const at = this.#at;
    slab[at] = value >>> 24;
    slab[at + 1] = value >>> 16;
    slab[at + 2] = value >>> 8;
    slab[at + 3] = value;
    this.#at = at + 4;
  }

  uint16(value: number): void {
    this.#slab[this.#at] = value >>> 8;
    this.#slab[this.#at + 1] = value;
    this.#at += 2;
  }

  byte(value: number): void {
    this.#slab[this.#at++] = value;
  }

  bytes(source: Uint8Array): void {
    this.#slab.set(source, this.#at);
    this.#at += source.length;
  }
}

/** Frames of one number. Each makes its own room. */
export function writeReset(output: Output, owner: OutputOwner, streamId: number, code: ErrorCode): void {
  output.reserve(owner, frameHeaderBytes + 4);
  output.frameHeader(4, frameType.rstStream, 0, streamId);
  output.uint32(code);
}

export function writeWindowUpdate(output: Output, owner: OutputOwner, streamId: number, increment: number): void {
  output.reserve(owner, frameHeaderBytes + 4);
  output.frameHeader(4, frameType.windowUpdate, 0, streamId);
  output.uint32(increment);
}

export function writeGoaway(output: Output, owner: OutputOwner, lastStreamId: number, code: ErrorCode): void {
  output.reserve(owner, frameHeaderBytes + 8);
  output.frameHeader(8, frameType.goaway, 0, 0);
  output.uint32(lastStreamId);
  output.uint32(code);
}

/** `payload` has eight bytes. */
export function writePing(output: Output, owner: OutputOwner, flags: number, payload: Uint8Array): void {
  output.reserve(owner, frameHeaderBytes + 8);
  output.frameHeader(8, frameType.ping, flags, 0);
  output.bytes(payload);
}

export function writeSettings(
  output: Output,
  owner: OutputOwner,
  settings: readonly (readonly [id: number, value: number])[],
): void {
  output.reserve(owner, frameHeaderBytes + settings.length * 6);
  output.frameHeader(settings.length * 6, frameType.settings, 0, 0);
  for (const [id, value] of settings) {
    output.uint16(id);
    output.uint32(value);
  }
}

export function writeSettingsAck(output: Output, owner: OutputOwner): void {
  output.reserve(owner, frameHeaderBytes);
  output.frameHeader(0, frameType.settings, frameFlag.ack, 0);
}
