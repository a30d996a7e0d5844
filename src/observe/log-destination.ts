import { pino } from 'pino';
import type { Timers } from '../core/ports.ts';

/** Where log lines go. */
export interface LogDestination {
  /** Takes one line with its newline; buffers, never throws and never waits. */
  write(line: string): void;
  /** Hands what is buffered to the system soon. */
  flush(): void;
  /** Resolves once everything written is handed over, or after `closeWaitMs`. */
  close(): Promise<void>;
}

export interface LogDestinationOptions {
  /** A file descriptor (1 is standard output) or the path of a file to append to. */
  readonly to: number | string;
  /** Told how many lines could not be written: the reader is too slow, or the write failed. */
  readonly onDrop: (lines: number) => void;
  readonly timers: Timers;
  /** Milliseconds; default 1000. */
  readonly flushEveryMs?: number;
}

const flushAtCharacters = 16_384;
/** One write a turn of the event loop: a busy turn makes hundreds of lines, and what is not written before the next one piles up. */
const maxWriteCharacters = 1024 * 1024;
/** A reader that stands still costs lines, not memory without end. */
const maxBufferedCharacters = 16 * 1024 * 1024;
const closeWaitMs = 1000;

/** Lines go out in blocks: when 16 KB have come together, every second, and when the process exits. */
export function createLogDestination({
  to,
  onDrop,
  timers,
  flushEveryMs = 1000,
}: LogDestinationOptions): LogDestination {
  const stream = pino.destination({
    dest: to,
    sync: false,
    minLength: flushAtCharacters,
    maxWrite: maxWriteCharacters,
    maxLength: maxBufferedCharacters,
    periodicFlush: flushEveryMs,
  });
  stream.on('drop', () => onDrop(1));
  // Without a listener a full disk would be an uncaught exception.
  stream.on('error', () => onDrop(1));
  return {
    write: (line) => void stream.write(line),
    flush: () => stream.flush(),
    close: async () => {
      await flushed(stream, timers);
      stream.destroy();
    },
  };
}

/** Waits for the write under way too, which `flushSync` would overtake. */
function flushed(stream: ReturnType<typeof pino.destination>, timers: Timers): Promise<void> {
  return new Promise((resolve) => {
    const cancel = timers.after(closeWaitMs, resolve);
    stream.flush(() => {
      cancel();
      resolve();
    });
  });
}
