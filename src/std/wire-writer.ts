/** Longer texts are left to Node: below, a loop is faster than the way there. Characters. */
const maxLoop = 64;

/**
 * Writes one protobuf message after the other from its end to its beginning, so that how long a message within it is is known when its length
 * has to be written. Fields therefore are written in the reverse of the order that they have on the wire. All tags are of one byte (field
 * numbers below 16).
 *
 * A class for its speed: one buffer and one position, without a closure a message.
 */
export class WireWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(4096);
  /** Where the last byte was written. */
  #at = this.#bytes.length;

  /** Begins a message; what there was of another is gone. */
  begin(): void {
    this.#at = this.#bytes.length;
  }

  /** What is written so far, bytes: the place to give `message` that is to hold what is written from now on. */
  get written(): number {
    return this.#bytes.length - this.#at;
  }

  /** A field with a text, which has to be well-formed Unicode. */
  text(tag: number, value: string): void {
    const end = this.written;
    this.bare(value);
    this.message(tag, end);
  }

  /** A text without a tag and a length. */
  bare(value: string): void {
    const { length } = value;
    if (length > maxLoop) return this.#long(value);
    this.#room(length);
    let at = this.#at;
    for (let i = length - 1; i >= 0; i--) {
      const c = value.charCodeAt(i);
      if (c >= 0x80) return this.#long(value);
      this.#bytes[--at] = c;
    }
    this.#at = at;
  }

  #long(value: string): void {
    const length = Buffer.byteLength(value, 'utf8');
    this.#room(length);
    this.#at -= length;
    this.#bytes.write(value, this.#at, length, 'utf8');
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#at -= bytes.length;
    this.#bytes.set(bytes, this.#at);
  }

  /** A field with a number of at least 0 and below 2^31. */
  number(tag: number, value: number): void {
    this.#room(6);
    this.#varint(value);
    this.#bytes[--this.#at] = tag;
  }

  /** Makes a field of what was written since `end`. */
  message(tag: number, end: number): void {
    const length = this.written - end;
    this.#room(6);
    this.#varint(length);
    this.#bytes[--this.#at] = tag;
  }

  /** The message, in bytes of its own. */
  finish(): Buffer {
    const whole = Buffer.allocUnsafe(this.written);
    this.#bytes.copy(whole, 0, this.#at);
    return whole;
  }

  /** Base 128, the low bits first, so written last. */
  #varint(value: number): void {
    if (value < 0x80) {
      this.#bytes[--this.#at] = value;
      return;
    }
    let shift = 28;
    while (value >>> shift === 0) shift -= 7;
    this.#bytes[--this.#at] = value >>> shift;
    for (shift -= 7; shift >= 0; shift -= 7) this.#bytes[--this.#at] = ((value >>> shift) & 0x7f) | 0x80;
  }

  #room(length: number): void {
    if (this.#at >= length) return;
    const { written } = this;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, written + length));
    this.#bytes.copy(larger, larger.length - written, this.#at);
    this.#bytes = larger;
    this.#at = larger.length - written;
  }
}
