import { closeSync, openSync, write as writeFd, writeSync } from 'node:fs';
import type { Timers } from '../core/ports.ts';
import type { LogDestination } from '../observe/logger.ts';
import { codeOf } from '../std/listen.ts';

export interface ClosableLogDestination extends LogDestination {
  /** Resolves once everything written is handed over, or after a second. */
  close(): Promise<void>;
}

export interface LogDestinationOptions {
  /** A file descriptor (1 is standard output) or the path of a file to append to. */
  readonly to: number | string;
  /** Told how many lines could not be written: the reader is too slow or gone, or the disk is full. */
  readonly onDrop: (lines: number) => void;
  readonly timers: Timers;
  /** Other processes write to the same place: no line is to be in pieces between theirs. */
  readonly isShared?: boolean;
  /** Milliseconds; default 1000. */
  readonly flushEveryMs?: number;
}

const chunkCharacters = 64 * 1024;
const maxWriteBytes = 1024 * 1024;
/** So many go into a pipe as one (PIPE_BUF of Linux). A longer line goes by itself, and may meet those of others. */
const atomicBytes = 4096;
/** A reader that stands still costs lines, not memory without end. */
const maxWaitingBytes = 16 * 1024 * 1024;
const retryMs = 50;
const closeWaitMs = 1000;
const newline = 0x0a;

/**
 * Lines go out in chunks, without waiting: when 64 KB have come together, a second after the first of them, and when the process exits.
 * Throws the system's error where the file cannot be opened. A pipe that nobody reads any more keeps the process from exiting, because
 * Node waits for the write under way; it keeps nothing else.
 */
export function createLogDestination(options: LogDestinationOptions): ClosableLogDestination {
  const { to, timers, onDrop, isShared = false, flushEveryMs = 1000 } = options;
  const fd = typeof to === 'number' ? to : openSync(to, 'a');
  const queue = new WriteQueue(fd, timers, onDrop, isShared ? atomicBytes : maxWriteBytes);
  let chunk = '';
  let cancelTimer: (() => void) | undefined;
  const flush = (): void => {
    cancelTimer?.();
    cancelTimer = undefined;
    const bytes = Buffer.from(chunk, 'utf8');
    for (const part of isShared ? cutAtLines(bytes, atomicBytes) : [bytes]) if (part.length > 0) queue.push(part);
    chunk = '';
  };
  const onExit = (): void => {
    flush();
    queue.writeRestNow();
  };
  process.on('exit', onExit);
  return {
    write(line) {
      chunk += line;
      if (chunk.length >= chunkCharacters) flush();
      else cancelTimer ??= timers.after(flushEveryMs, flush);
    },
    flush,
    async close() {
      process.off('exit', onExit);
      flush();
      await queue.drained();
      if (typeof to === 'string') closeSync(fd);
    },
  };
}

/** Writes buffers to a file descriptor in their order, one at a time. */
class WriteQueue {
  readonly #fd: number;
  readonly #timers: Timers;
  readonly #onDrop: (lines: number) => void;
  readonly #maxBytes: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #whenDrained: (() => void)[] = [];

  constructor(fd: number, timers: Timers, onDrop: (lines: number) => void, maxBytes: number) {
    this.#fd = fd;
    this.#timers = timers;
    this.#onDrop = onDrop;
    this.#maxBytes = maxBytes;
  }

  push(bytes: Buffer): void {
    if (this.#waitingBytes + bytes.length > maxWaitingBytes) {
      this.#onDrop(countLines(bytes));
      return;
    }
    this.#waiting.push(bytes);
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
      for (const bytes of this.#waiting) writeSync(this.#fd, bytes);
    } catch {
      // There is nobody left to tell.
    }
  }

  #writeNext(): void {
    const bytes = this.#take();
    if (bytes === undefined) {
      this.#isWriting = false;
      for (const drained of this.#whenDrained.splice(0)) drained();
      return;
    }
    this.#isWriting = true;
    this.#write(bytes);
  }

  #write(bytes: Buffer): void {
    writeFd(this.#fd, bytes, (error, written) => {
      if (error === null && written < bytes.length) this.#write(bytes.subarray(written));
      else if (error === null) this.#writeNext();
      else if (isTemporary(error)) this.#timers.after(retryMs, () => this.#write(bytes));
      else {
        this.#onDrop(countLines(bytes));
        this.#writeNext();
      }
    });
  }

  /** As much of what waits as goes into one write. */
  #take(): Buffer | undefined {
    let count = 0;
    let size = 0;
    for (const { length } of this.#waiting) {
      if (count > 0 && size + length > this.#maxBytes) break;
      count++;
      size += length;
    }
    this.#waitingBytes -= size;
    const taken = this.#waiting.splice(0, count);
    return taken.length > 1 ? Buffer.concat(taken, size) : taken[0];
  }
}

/** Whole lines, as many as go into the length, and at least one. */
function* cutAtLines(bytes: Buffer, length: number): Generator<Buffer> {
  let from = 0;
  while (bytes.length - from > length) {
    const last = bytes.lastIndexOf(newline, from + length - 1);
    const end = last < from ? bytes.indexOf(newline, from) : last;
    if (end < 0) break;
    yield bytes.subarray(from, end + 1);
    from = end + 1;
  }
  yield bytes.subarray(from);
}

function isTemporary(error: unknown): boolean {
  return ['EAGAIN', 'EBUSY', 'EINTR'].includes(codeOf(error));
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (const byte of bytes) if (byte === newline) lines++;
  return lines;
}
