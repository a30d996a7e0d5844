import { closeSync, write as writeFd, writeSync } from 'node:fs';
import type { Timers } from '../core/ports.ts';
import { codeOf } from '../std/listen.ts';

/** Writes buffers to a file descriptor in their order, one at a time, without holding anybody up. */
export interface WriteQueue {
  push(bytes: Buffer): void;
  /** Resolves once nothing waits, or after a second, and closes `quickFd`. */
  close(): Promise<void>;
  /** For the end of the process. Nothing where a write is under way: the reader stands still, and would keep the process too. */
  writeRestNow(): void;
}

export interface WriteQueueOptions {
  readonly fd: number;
  /**
   * The same, where a write never waits for room (O_NONBLOCK): what there is room for goes out at once, which costs a quarter of what a thread that
   * may wait does. All or nothing of a write has to go in. Undefined where there is none.
   */
  readonly quickFd: number | undefined;
  readonly timers: Timers;
  /** Told how many lines could not be written. */
  readonly onDrop: (lines: number) => void;
  /** Of one write; a single buffer may be longer. */
  readonly maxBytes: number;
}

/** A reader that stands still costs lines, not memory without end. */
const maxWaitingBytes = 16 * 1024 * 1024;
const retryMs = 50;
const closeWaitMs = 1000;
/** A reader that is as fast as we are does not keep us from anything else. */
const maxQuickWrites = 32;
const newline = 0x0a;

export function createWriteQueue(options: WriteQueueOptions): WriteQueue {
  return new Queue(options);
}

class Queue implements WriteQueue {
  readonly #options: WriteQueueOptions;
  #quickFd: number | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #whenDrained: (() => void)[] = [];

  constructor(options: WriteQueueOptions) {
    this.#options = options;
    this.#quickFd = options.quickFd;
  }

  push(bytes: Buffer): void {
    if (this.#waitingBytes + bytes.length > maxWaitingBytes) {
      this.#options.onDrop(countLines(bytes));
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (!this.#isWriting) this.#writeNext();
  }

  async close(): Promise<void> {
    await this.#drained();
    const quickFd = this.#quickFd;
    // Somebody else may get the number.
    this.#quickFd = undefined;
    if (quickFd !== undefined) closeSync(quickFd);
  }

  #drained(): Promise<void> {
    if (!this.#isWriting) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#options.timers.after(closeWaitMs, resolve);
      this.#whenDrained.push(() => {
        cancel();
        resolve();
      });
    });
  }

  writeRestNow(): void {
    if (this.#isWriting) return;
    try {
      for (const bytes of this.#waiting) writeSync(this.#options.fd, bytes);
    } catch {
      // There is nobody left to tell.
    }
  }

  #writeNext(): void {
    for (let quick = 0; ; quick++) {
      const bytes = this.#take();
      if (bytes === undefined) break;
      if (quick < maxQuickWrites && this.#isWrittenAtOnce(bytes)) continue;
      this.#isWriting = true;
      this.#write(bytes);
      return;
    }
    this.#isWriting = false;
    for (const drained of this.#whenDrained.splice(0)) drained();
  }

  #isWrittenAtOnce(bytes: Buffer): boolean {
    if (this.#quickFd === undefined || bytes.length > this.#options.maxBytes) return false;
    try {
      return writeSync(this.#quickFd, bytes) === bytes.length;
    } catch {
      // There is no room, or nobody reads any more, which the other way finds too.
      return false;
    }
  }

  #write(bytes: Buffer): void {
    writeFd(this.#options.fd, bytes, (error, written) => {
      if (error === null && written < bytes.length) this.#write(bytes.subarray(written));
      else if (error === null) this.#writeNext();
      else if (isTemporary(error)) this.#options.timers.after(retryMs, () => this.#write(bytes));
      else {
        this.#options.onDrop(countLines(bytes));
        this.#writeNext();
      }
    });
  }

  /** As much of what waits as goes into one write. */
  #take(): Buffer | undefined {
    let count = 0;
    let size = 0;
    for (const { length } of this.#waiting) {
      if (count > 0 && size + length > this.#options.maxBytes) break;
      count++;
      size += length;
    }
    this.#waitingBytes -= size;
    const taken = this.#waiting.splice(0, count);
    return taken.length > 1 ? Buffer.concat(taken, size) : taken[0];
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
