import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { Timers } from '../core/ports.ts';
import type { LogDestination } from '../observe/logger.ts';
import { createWriteQueue } from './write-queue.ts';

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

const chunkBytes = 64 * 1024;
const maxWriteBytes = 1024 * 1024;
/** So many go into a pipe as one (PIPE_BUF of Linux). A longer line goes by itself, and may meet those of others. */
const atomicBytes = 4096;
const newline = 0x0a;

/**
 * Lines go out in chunks, without waiting: when 64 KB have come together, a second after the first of them, and when the process exits.
 * Throws the system's error where the file cannot be opened. A pipe that nobody reads any more keeps the process from exiting, because
 * Node waits for the write under way; it keeps nothing else.
 */
export function createLogDestination(options: LogDestinationOptions): ClosableLogDestination {
  const { to, timers, onDrop, isShared = false, flushEveryMs = 1000 } = options;
  const fd = typeof to === 'number' ? to : openSync(to, 'a');
  // The system writes to a file as one whatever it is given, whoever else does.
  const kind = isShared ? fstatSync(fd) : undefined;
  const isCut = kind !== undefined && !kind.isFile();
  const quickFd = kind?.isFIFO() === true ? openWithoutWaiting(fd) : undefined;
  const queue = createWriteQueue({ fd, quickFd, timers, onDrop, maxBytes: isCut ? atomicBytes : maxWriteBytes });
  const chunks = createChunks();
  let chunk = chunks.take();
  let used = 0;
  let cancelTimer: (() => void) | undefined;
  const flush = (): void => {
    cancelTimer?.();
    cancelTimer = undefined;
    if (used === 0) return;
    const full = chunk;
    const bytes = full.subarray(0, used);
    chunk = chunks.take();
    used = 0;
    const onDone = (): void => chunks.giveBack(full);
    if (!isCut) return queue.push(bytes, onDone);
    const parts = [...cutAtLines(bytes, atomicBytes)];
    for (const [i, part] of parts.entries()) queue.push(part, i === parts.length - 1 ? onDone : undefined);
  };
  /** Where a line of so many bytes goes in the chunk; undefined where it is longer than one. */
  const placeFor = (bytes: number): number | undefined => {
    if (used + bytes > chunkBytes) flush();
    if (bytes > chunkBytes) return undefined;
    cancelTimer ??= timers.after(flushEveryMs, flush);
    const place = used;
    used += bytes;
    return place;
  };
  const onExit = (): void => {
    flush();
    queue.writeRestNow();
  };
  process.on('exit', onExit);
  return {
    write(line) {
      const place = placeFor(Buffer.byteLength(line));
      if (place === undefined) queue.push(Buffer.from(line));
      else chunk.write(line, place);
    },
    append(line) {
      const place = placeFor(line.length);
      if (place === undefined) queue.push(Buffer.from(line));
      else chunk.set(line, place);
    },
    flush,
    async close() {
      process.off('exit', onExit);
      flush();
      await queue.close();
      if (typeof to === 'string') closeSync(fd);
    },
  };
}

/**
 * The same pipe, opened anew: whether one waits for room belongs to who opened it, and those who share the descriptor have not asked for another way.
 * Undefined where the system does not let us.
 */
function openWithoutWaiting(fd: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

/** Chunks that were written are used again: memory outside of V8's is dear to make. */
function createChunks(): { take(): Buffer; giveBack(chunk: Buffer): void } {
  const free: Buffer[] = [];
  return {
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(chunkBytes),
    giveBack: (chunk) => {
      if (free.length < 2) free.push(chunk);
    },
  };
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
