import { isAscii, isUtf8 } from 'node:buffer';
import { asBuffer } from './as-buffer.ts';

/** What is thrown where bytes are not a protobuf message. It says nothing of the bytes. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** Of fewer bytes it is found out sooner here than by Node. */
const fewBytes = 128;

/** An unknown field may be a group, and a group hold others. Other readers stop at 100, the messages around included. */
const maxGroupDepth = 90;

const lengthDelimited = 2;

/**
 * Reads the fields of one protobuf message in the order of the wire, without a schema and without making anything that is not asked
 * for. Every field that a caller knows is length-delimited (texts, bytes, messages); others are passed over. Everything throws a
 * WireError where the bytes end early, a length goes beyond what surrounds it, or a tag is none.
 */
export class WireReader {
  readonly #bytes: Buffer;
  /** Where the next byte is read. */
  #at = 0;
  /** Where the field ends that `next` has found. */
  #end = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = asBuffer(bytes);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Where the contents of the field begin that `next` has found. */
  get at(): number {
    return this.#at;
  }

  /** Where the contents of the field end that `next` has found: the limit for reading them as a message. */
  get end(): number {
    return this.#end;
  }

  /**
   * Goes to the next length-delimited field before `limit` and returns its number; 0 where there is none. Its contents have to be read
   * or passed before the next call. A field of `known` that is written otherwise is refused: who knows what was meant? `onOther` is told the tag
   * of every field that is passed over.
   */
  next(limit: number, known: readonly number[], onOther?: (tag: number) => void): number {
    while (this.#at < limit) {
      const tag = this.#varint(limit);
      const field = tag >>> 3;
      if (field === 0) throw new WireError('a field without a number');
      if ((tag & 7) === lengthDelimited) {
        this.#end = this.#lengthEnd(limit);
        return field;
      }
      if (known.includes(field)) throw new WireError('a field of another type');
      onOther?.(tag);
      this.#skip(tag, limit, 0);
    }
    return 0;
  }

  /** Reads again from a place that `at` was before. */
  goBack(at: number): void {
    this.#at = at;
  }

  /** Passes over the contents of the field. */
  pass(): void {
    this.#at = this.#end;
  }

  /** The contents of the field as UTF-8, U+FFFD in place of what is none. */
  text(): string {
    const start = this.#at;
    const end = this.#end;
    this.#at = end;
    return this.#bytes.toString(isAsciiIn(this.#bytes, start, end) ? 'latin1' : 'utf8', start, end);
  }

  /** The same where it is one of these texts, all ASCII, which then need not be made; else undefined, and the contents are still to be read. */
  oneOf(texts: readonly string[]): string | undefined {
    const length = this.#end - this.#at;
    for (const text of texts) {
      if (text.length !== length || !this.#isAt(text)) continue;
      this.#at = this.#end;
      return text;
    }
    return undefined;
  }

  #isAt(text: string): boolean {
    const at = this.#at;
    for (let i = 0; i < text.length; i++) if (this.#bytes[at + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  /** A tag or a length: at most 32 bits in at most five bytes, of which the last may be superfluous. */
  #varint(limit: number): number {
    const bytes = this.#bytes;
    // Nearly all of them are one byte.
    const first = bytes[this.#at] ?? 0;
    if (this.#at < limit && first < 0x80) {
      this.#at++;
      return first;
    }
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

/** Whether all of these bytes are below 0x80, so that the text is the same in Latin-1, which is the quickest to make. */
export function isAsciiIn(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > fewBytes) return isAscii(bytes.subarray(start, end));
  for (let at = start; at < end; at++) if ((bytes[at] ?? 0) >= 0x80) return false;
  return true;
}

/** Whether these bytes are UTF-8. */
export function isUtf8In(bytes: Buffer, start: number, end: number): boolean {
  return isAsciiIn(bytes, start, end) || isUtf8(bytes.subarray(start, end));
}
