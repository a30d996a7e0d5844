/** As much as most lines take; a longer one makes the buffer larger, for good. */
const usualBytes = 2048;

/**
 * One line of JSON (RFC 8259) as UTF-8, written piece by piece into a buffer that is kept from line to line: of a text that is put together
 * first every piece is an object, and the whole is copied twice.
 *
 * A class for its speed.
 */
export class JsonLine {
  #bytes = Buffer.allocUnsafeSlow(usualBytes);
  #length = 0;

  /** Begins a new line. */
  clear(): void {
    this.#length = 0;
  }

  /** The line so far; good until the next change. */
  written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A text as it is, which has to be ASCII. */
  ascii(text: string): void {
    const at = this.#room(text.length);
    const bytes = this.#bytes;
    for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
    this.#length = at + text.length;
  }

  /** A text as a JSON string (section 7), with its quotes. The same as JSON.stringify gives: what is no valid Unicode is escaped. */
  quoted(text: string): void {
    const at = this.#room(text.length + 2);
    const bytes = this.#bytes;
    bytes[at] = 0x22;
    let to = at + 1;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c < 0x20 || c === 0x22 || c === 0x5c || c >= 0x80) {
        this.#escaped(text);
        return;
      }
      bytes[to++] = c;
    }
    bytes[to] = 0x22;
    this.#length = to + 1;
  }

  /** A member of an object behind others, with its comma; nothing where there is no text. `head` is `,"name":`, all ASCII. */
  member(head: string, text: string | undefined): void {
    if (text === undefined) return;
    this.ascii(head);
    this.quoted(text);
  }

  #escaped(text: string): void {
    const json = JSON.stringify(text);
    const at = this.#room(json.length * 3);
    this.#length = at + this.#bytes.write(json, at, 'utf8');
  }

  /** Where the next piece goes, of at most so many bytes. */
  #room(bytes: number): number {
    const at = this.#length;
    if (at + bytes > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (at + bytes));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    return at;
  }
}
