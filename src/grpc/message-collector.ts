import type { MessageBudget, UnfinishedMessage } from './message-budget.ts';

/** Why the bytes of a request are no message of ours. */
export type MessageProblem = 'compressed' | 'too-large' | 'no-room' | 'not-one';

export const prefixBytes = 5;
const firstBytes = 512;

/**
 * Puts together a message that comes in pieces (gRPC over HTTP/2, Length-Prefixed-Message). It takes memory as bytes come in, not as a prefix promises them, and
 * copies: a piece would keep whatever came in with it. A class: its memory is hidden state.
 */
export class MessageCollector {
  readonly #maxBytes: number;
  readonly #budget: MessageBudget;
  readonly #message: UnfinishedMessage;
  #bytes = Buffer.alloc(0);
  #have = 0;

  /** `message`: whom the budget tells that it has to make room. */
  constructor(maxBytes: number, budget: MessageBudget, message: UnfinishedMessage) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
    this.#message = message;
  }

  /** What is wrong with the message, as soon as it can be known. */
  add(source: Buffer, start: number, end: number): MessageProblem | undefined {
    let from = start;
    if (this.#have < prefixBytes) {
      if (!this.#hasRoomFor(prefixBytes)) return 'no-room';
      from += this.#copy(source, start, Math.min(end, start + prefixBytes - this.#have));
      if (this.#have < prefixBytes) return undefined;
      if (this.#bytes[0] !== 0) return 'compressed';
      if (this.#wanted() - prefixBytes > this.#maxBytes) return 'too-large';
    }
    if (this.#have + end - from > this.#wanted()) return 'not-one';
    if (!this.#hasRoomFor(this.#have + end - from)) return 'no-room';
    this.#copy(source, from, end);
    return undefined;
  }

  /** The message; undefined where it is not there whole. */
  take(): Uint8Array | undefined {
    if (this.#have < prefixBytes || this.#have < this.#wanted()) return undefined;
    this.#budget.finished(this.#message);
    return this.#bytes.subarray(prefixBytes, this.#have);
  }

  /** Gives the memory back. */
  release(): void {
    this.#budget.finished(this.#message);
    this.#budget.give(this.#bytes.length);
    this.#bytes = Buffer.alloc(0);
    this.#have = 0;
  }

  /** With the prefix, which must be there. */
  #wanted(): number {
    return prefixBytes + this.#bytes.readUInt32BE(1);
  }

  #copy(source: Buffer, start: number, end: number): number {
    const copied = source.copy(this.#bytes, this.#have, start, end);
    this.#have += copied;
    return copied;
  }

  #hasRoomFor(bytes: number): boolean {
    if (bytes <= this.#bytes.length) return true;
    // Doubling copies each byte about once more; above what the prefix says there will be nothing.
    const most = this.#have < prefixBytes ? Infinity : this.#wanted();
    const size = Math.min(most, Math.max(bytes, this.#bytes.length * 2, firstBytes));
    if (!this.#budget.take(size - this.#bytes.length, this.#message)) return false;
    const grown = Buffer.allocUnsafeSlow(size);
    this.#bytes.copy(grown, 0, 0, this.#have);
    this.#bytes = grown;
    return true;
  }
}
