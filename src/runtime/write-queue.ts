import { write as writeFd, writeSync } from 'node:fs';
import type { Timers } from '../core/ports.ts';
import { codeOf } from '../std/listen.ts';

/** Of what waits as much goes into one write. */
const maxWriteBytes = 1024 * 1024;
/** A reader that stands still costs lines, not memory without end. */
const maxWaitingBytes = 16 * 1024 * 1024;
const retryMs = 50;
const closeWaitMs = 1000;
const newline = 0x0a;

export interface WriteQueueOptions {
  readonly fd: number;
  readonly timers: Timers;
  /** Told how many lines could not be written. */
  readonly onDrop: (lines: number) => void;
  /** The most bytes of several buffers that go into one write; default 1 MiB. */
  readonly maxBytes?: number;
}

interface Waiting {
  readonly bytes: Buffer;
  /** The bytes are not looked at any more. */
  readonly onDone: (() => void) | undefined;
}

/** Writes buffers to a file descriptor in their order, one at a time. */
export class WriteQueue {
  readonly #fd: number;
  readonly #timers: Timers;
  readonly #onDrop: (lines: number) => void;
  readonly #maxBytes: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #whenDrained: (() => void)[] = [];

  constructor({ fd, timers, onDrop, maxBytes = maxWriteBytes }: WriteQueueOptions) {
    this.#fd = fd;
    this.#timers = timers;
    this.#onDrop = onDrop;
    this.#maxBytes = maxBytes;
  }

  /** The bytes have to stay as they are until `onDone`. */
  push(bytes: Buffer, onDone?: () => void): void {
    if (this.#waitingBytes + bytes.length > maxWaitingBytes) {
      this.#onDrop(countLines(bytes));
      onDone?.();
      return;
    }
    this.#waiting.push({ bytes, onDone });
    this.#waitingBytes += bytes.length;
    if (!this.#isWriting) this.#writeNext();
  }

  /** Resolves once nothing waits, or after a second. */
  drained(): Promise<void> {
    if (!this.#isWriting) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#timers.after(closeWaitMs, resolve);
      this.#whenDrained.push(() => {
        cancel();
        resolve();
      });
    });
  }

  /** For the end of the process. Nothing where a write is under way: the reader stands still, and would keep the process too. */
  writeRestNow(): void {
    if (this.#isWriting) return;
    try {
      for (const { bytes } of this.#waiting) writeSync(this.#fd, bytes);
    } catch {
      // There is nobody left to tell.
    }
  }

  #writeNext(): void {
    const next = this.#take();
    if (next === undefined) {
      this.#isWriting = false;
      for (const drained of this.#whenDrained.splice(0)) drained();
      return;
    }
    this.#isWriting = true;
    this.#write(next.bytes, next.onDone);
  }

  #write(bytes: Buffer, onDone: Waiting['onDone']): void {
    writeFd(this.#fd, bytes, (error, written) => {
      if (error === null && written < bytes.length) return this.#write(bytes.subarray(written), onDone);
      if (error !== null && isTemporary(error)) {
        this.#timers.after(retryMs, () => this.#write(bytes, onDone));
        return;
      }
      if (error !== null) this.#onDrop(countLines(bytes));
      onDone?.();
      this.#writeNext();
    });
  }

  /** As much of what waits as goes into one write. */
  #take(): Waiting | undefined {
    let count = 0;
    let size = 0;
    for (const { bytes } of this.#waiting) {
      if (count > 0 && size + bytes.length > this.#maxBytes) break;
      count++;
      size += bytes.length;
    }
    this.#waitingBytes -= size;
    const taken = this.#waiting.splice(0, count);
    if (taken.length < 2) return taken[0];
    const together = Buffer.concat(
      taken.map(({ bytes }) => bytes),
      size,
    );
    for (const { onDone } of taken) onDone?.();
    return { bytes: together, onDone: undefined };
  }
}

function isTemporary(error: unknown): boolean {
  return ['EAGAIN', 'EBUSY', 'EINTR'].includes(codeOf(error));
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (const byte of bytes) if (byte === newline) lines++;
  return lines;
}
