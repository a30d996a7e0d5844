import { closeSync, write as writeFd, writeSync } from 'node:fs';
import type { Timers } from '../core/ports.ts';
import { codeOf } from '../std/listen.ts';

/** Writes buffers to a file descriptor in their order, one at a time, without holding anybody up. */
export interface WriteQueue {
  /** The bytes have to stay as they are until `onDone`, by which those pushed before are done with too. */
  push(bytes: Buffer, onDone?: () => void): void;
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

interface Waiting {
  readonly bytes: Buffer;
  /** The bytes are not looked at any more. */
  readonly onDone: (() => void) | undefined;
}

export function createWriteQueue(options: WriteQueueOptions): WriteQueue {
  return new Queue(options);
}

class Queue implements WriteQueue {
  readonly #options: WriteQueueOptions;
  #quickFd: number | undefined;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #whenDrained: (() => void)[] = [];

  constructor(options: WriteQueueOptions) {
    this.#options = options;
    this.#quickFd = options.quickFd;
  }

  push(bytes: Buffer, onDone?: () => void): void {
    if (this.#waitingBytes + bytes.length > maxWaitingBytes) {
      this.#options.onDrop(countLines(bytes));
      return;
    }
    this.#waiting.push({ bytes, onDone });
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
      for (const { bytes } of this.#waiting) writeSync(this.#options.fd, bytes);
    } catch {
      // There is nobody left to tell.
    }
  }

  #writeNext(): void {
    for (let quick = 0; ; quick++) {
      const next = this.#take();
      if (next === undefined) break;
      if (quick < maxQuickWrites && this.#isWrittenAtOnce(next.bytes)) {
        next.onDone?.();
        continue;
      }
      this.#isWriting = true;
      this.#write(next.bytes, next.onDone);
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

  #write(bytes: Buffer, onDone: Waiting['onDone']): void {
    writeFd(this.#options.fd, bytes, (error, written) => {
      if (error === null && written < bytes.length) return this.#write(bytes.subarray(written), onDone);
      if (error !== null && isTemporary(error)) {
        this.#options.timers.after(retryMs, () => this.#write(bytes, onDone));
        return;
      }
      if (error !== null) this.#options.onDrop(countLines(bytes));
      onDone?.();
      this.#writeNext();
    });
  }

  /** As much of what waits as goes into one write. */
  #take(): Waiting | undefined {
    let count = 0;
    let size = 0;
    for (const { bytes } of this.#waiting) {
      if (count > 0 && size + bytes.length > this.#options.maxBytes) break;
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
