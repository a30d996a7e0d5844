import { isUtf8 } from 'node:buffer';

/** What is thrown where bytes are not a protobuf message. It says nothing of the bytes. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** Of longer messages no text is made as a whole: it would be copied, and kept, for the sake of a few fields. Bytes. */
const maxWholeText = 65_536;

/** An unknown field may be a group, and a group hold others. Other readers stop at 100, the messages around included. */
const maxGroupDepth = 90;

const lengthDelimited = 2;

/**
 * Reads the fields of one protobuf message in the order of the wire, without a schema and without making anything that is not asked
 * for. Every field that a caller knows is length-delimited (texts, bytes, messages); others are passed over. Everything throws a
 * WireError where the bytes end early, a length goes beyond what surrounds it, or a tag is none.
 *
 * Texts are parts of one text of the whole message, which lives as long as any of them: what outlives the message has to be copied.
 */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  /** The bytes as Latin-1, so that positions in both are the same; undefined where the message is too long for that. */
  readonly #whole: string | undefined;
  /** Where the next byte is read. */
  #at = 0;
  /** Where the field ends that `next` has found. */
  #end = 0;
  /** Where the text began that was read last. */
  #textStart = 0;
  /** True where the text that was read last has only bytes below 0x80. */
  isAscii = true;

  constructor(bytes: Uint8Array) {
    const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#bytes = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    this.#whole = buffer.length > maxWholeText ? undefined : buffer.toString('latin1');
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Where the contents of the field end that `next` has found: the limit for reading them as a message. */
  get end(): number {
    return this.#end;
  }

  /**
   * Goes to the next length-delimited field before `limit` and returns its number; 0 where there is none. Its contents have to be read
   * or passed before the next call. A field of `known` that is written otherwise is refused: who knows what was meant?
   */
  next(limit: number, known: readonly number[]): number {
    while (this.#at < limit) {
      const tag = this.#varint(limit);
      const field = tag >>> 3;
      if (field === 0) throw new WireError('a field without a number');
      if ((tag & 7) === lengthDelimited) {
        this.#end = this.#lengthEnd(limit);
        return field;
      }
      if (known.includes(field)) throw new WireError('a field of another type');
      this.#skip(tag, limit, 0);
    }
    return 0;
  }

  /** Passes over the contents of the field. */
  pass(): void {
    this.#at = this.#end;
  }

  /** The contents of the field as UTF-8, U+FFFD in place of what is none. */
  text(): string {
    const start = this.#at;
    const end = this.#end;
    const bytes = this.#bytes;
    this.#textStart = start;
    this.#at = end;
    this.isAscii = this.#hasOnlyAscii(start, end);
    if (!this.isAscii) return bytes.toString('utf8', start, end);
    return this.#whole === undefined ? bytes.toString('latin1', start, end) : this.#whole.slice(start, end);
  }

  /** Four bytes at a time: byte by byte it would be half of the whole work. */
  #hasOnlyAscii(start: number, end: number): boolean {
    const view = this.#view;
    let at = start;
    for (; at + 4 <= end; at += 4) {
      if ((view.getUint32(at) & 0x80808080) !== 0) return false;
    }
    for (; at < end; at++) {
      if (view.getUint8(at) >= 0x80) return false;
    }
    return true;
  }

  /** Whether the bytes of the text that was read last are UTF-8; until the next field is read. */
  isUtf8(): boolean {
    return this.isAscii || isUtf8(this.#bytes.subarray(this.#textStart, this.#at));
  }

  /** A tag or a length: at most 32 bits in at most five bytes, of which the last may be superfluous. */
  #varint(limit: number): number {
    const bytes = this.#bytes;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.#at >= limit) throw new WireError('cut off');
      const byte = bytes[this.#at++] ?? 0;
      if (shift === 28 && byte > 0x0f) throw new WireError('a number of more than 32 bits');
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new WireError('a number of more than 32 bits');
  }

  #lengthEnd(limit: number): number {
    const length = this.#varint(limit);
    const end = this.#at + length;
    if (end > limit) throw new WireError('a length beyond the end');
    return end;
  }

  #skip(tag: number, limit: number, depth: number): void {
    switch (tag & 7) {
      case 0:
        return this.#skipVarint(limit);
      case 1:
        return this.#skipBytes(8, limit);
      case lengthDelimited:
        this.#at = this.#lengthEnd(limit);
        return;
      case 3:
        return this.#skipGroup(tag >>> 3, limit, depth);
      case 5:
        return this.#skipBytes(4, limit);
      default:
        throw new WireError('a type that there is not');
    }
  }

  #skipBytes(count: number, limit: number): void {
    this.#at += count;
    if (this.#at > limit) throw new WireError('cut off');
  }

  /** A value of up to 64 bits. */
  #skipVarint(limit: number): void {
    for (let count = 0; count < 10; count++) {
      if (this.#at >= limit) throw new WireError('cut off');
      if ((this.#bytes[this.#at++] ?? 0) < 0x80) return;
    }
    throw new WireError('a number of more than 64 bits');
  }

  #skipGroup(group: number, limit: number, depth: number): void {
    if (depth >= maxGroupDepth) throw new WireError('groups too deep');
    for (;;) {
      const tag = this.#varint(limit);
      const field = tag >>> 3;
      if (field === 0) throw new WireError('a field without a number');
      if ((tag & 7) !== 4) this.#skip(tag, limit, depth + 1);
      else if (field === group) return;
      else throw new WireError('the end of another group');
    }
  }
}
