import { ConnectionError, errorCode } from '../http2/protocol.ts';
import { DynamicTable } from './dynamic-table.ts';
import { toHeaderField, withValue, type HeaderField } from './header-field.ts';
import { decodeHuffman } from './huffman.ts';
import { staticTable } from './static-table.ts';

/** Takes the fields of a block one after the other. */
export interface FieldSink {
  field(field: HeaderField): void;
}

/** What a Huffman string becomes before it is text: used within one call alone, so all connections share it. */
let scratch = Buffer.allocUnsafeSlow(8192);
/** Integers end after four more bytes: nothing here is as large as 2^28. */
const maxShift = 21;

/** Reads header blocks (RFC 7541). A class: one for each connection, with its table and the place within a block as hidden state. */
export class HpackDecoder {
  readonly #table = new DynamicTable();
  #block: Buffer = scratch;
  #at = 0;
  #end = 0;

  /** Where it is the same before and after a block, the same bytes mean the same fields again. */
  get version(): number {
    return this.#table.version;
  }

  /** Tells the sink every field. Throws a ConnectionError where the block is none: then no later one can be read either. */
  decode(block: Buffer, start: number, end: number, sink: FieldSink): void {
    this.#block = block;
    this.#at = start;
    this.#end = end;
    let mayResize = true;
    while (this.#at < end) {
      const first = block[this.#at] ?? 0;
      if (first >= 0x80) {
        sink.field(this.#lookUp(this.#integer(0x7f)));
      } else if (first >= 0x40) {
        const field = this.#literal(0x3f);
        this.#table.add(field);
        sink.field(field);
      } else if (first >= 0x20) {
        // Section 4.2: only before the first field of a block.
        if (!mayResize || !this.#table.resize(this.#integer(0x1f)))
          throw compressionError('a table size is not allowed');
        continue;
      } else {
        sink.field(this.#literal(0x0f));
      }
      mayResize = false;
    }
    // What was received must not be kept alive.
    this.#block = scratch;
  }

  #lookUp(index: number): HeaderField {
    const field = index > staticTable.length ? this.#table.get(index - staticTable.length - 1) : staticTable[index - 1];
    if (field === undefined) throw compressionError('an index is not in the table');
    return field;
  }

  #literal(mask: number): HeaderField {
    const index = this.#integer(mask);
    if (index > 0) return withValue(this.#lookUp(index), this.#text());
    const name = this.#text();
    return toHeaderField(name, this.#text());
  }

  /** Section 5.1. */
  #integer(mask: number): number {
    let value = this.#next() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= maxShift; shift += 7) {
      const byte = this.#next();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw compressionError('an integer is too large');
  }

  /** Section 5.2. */
  #text(): string {
    const isHuffman = (this.#block[this.#at] ?? 0) >= 0x80;
    const length = this.#integer(0x7f);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) throw compressionError('a string is longer than its block');
    this.#at = end;
    if (!isHuffman) return this.#block.toString('latin1', start, end);
    if (length * 2 > scratch.length) scratch = Buffer.allocUnsafeSlow(length * 2);
    const written = decodeHuffman(this.#block, start, end, scratch);
    if (written < 0) throw compressionError('a string is not Huffman coded as it says');
    return scratch.toString('latin1', 0, written);
  }

  #next(): number {
    if (this.#at >= this.#end) throw compressionError('a header block is cut off');
    return this.#block[this.#at++] ?? 0;
  }
}

function compressionError(message: string): ConnectionError {
  return new ConnectionError(errorCode.compressionError, message);
}
