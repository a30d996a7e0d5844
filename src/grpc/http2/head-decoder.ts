import { HpackDecoder } from '../hpack/decoder.ts';
import { copyBytes } from './copy-bytes.ts';
import { rememberedHeadBytes } from './limits.ts';
import type { HeadProblem, HeadReader, RequestHead } from './request-head.ts';

/** What was read of a head, and how much of a body it promises. */
export interface ReadHead<Request> {
  readonly contentLength: number | undefined;
  readonly request: Request;
}

/**
 * Header blocks to heads, with a memory of the last one. A proxy says the same fields again and again in a few bytes, and as long
 * as the dynamic table has not changed the same bytes mean the same head. A class: one for each connection, with that memory as hidden state.
 */
export class HeadDecoder<Request> {
  readonly #hpack = new HpackDecoder();
  readonly #reader: HeadReader;
  readonly #read: (head: RequestHead) => Request;
  #lastBlock: Buffer | undefined;
  #lastVersion = -1;
  #lastHead: ReadHead<Request> | undefined;

  /** The reader may be shared: it is done with a block before it is asked for another. */
  constructor(reader: HeadReader, read: (head: RequestHead) => Request) {
    this.#reader = reader;
    this.#read = read;
  }

  request(block: Buffer, start: number, end: number): ReadHead<Request> | HeadProblem {
    const last = this.#lastHead;
    if (last !== undefined && this.#hpack.version === this.#lastVersion && this.#isLastBlock(block, start, end))
      return last;
    const version = this.#hpack.version;
    const head = this.#decode('request', block, start, end);
    if (typeof head === 'string') return head;
    const read = { contentLength: head.contentLength, request: this.#read(head) };
    if (this.#hpack.version === version && end - start <= rememberedHeadBytes) {
      this.#lastBlock = copyBytes(block, start, end);
      this.#lastVersion = version;
      this.#lastHead = read;
    }
    return read;
  }

  /** Undefined where the trailers are right. */
  trailers(block: Buffer, start: number, end: number): HeadProblem | undefined {
    const head = this.#decode('trailers', block, start, end);
    return typeof head === 'string' ? head : undefined;
  }

  #decode(kind: 'request' | 'trailers', block: Buffer, start: number, end: number): RequestHead | HeadProblem {
    this.#reader.begin(kind);
    this.#hpack.decode(block, start, end, this.#reader);
    return this.#reader.finish();
  }

  #isLastBlock(block: Buffer, start: number, end: number): boolean {
    const last = this.#lastBlock;
    if (last === undefined || last.length !== end - start) return false;
    for (let i = 0; i < last.length; i++) if (last[i] !== block[start + i]) return false;
    return true;
  }
}
