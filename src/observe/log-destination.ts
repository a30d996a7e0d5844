import { pino } from 'pino';
import type { Timers } from '../core/ports.ts';

/** Where log lines go. */
export interface LogDestination {
  /** Takes one line with its newline; buffers, never throws and never waits. */
  write(line: string): void;
  /** Hands what is buffered to the system soon. */
  flush(): void;
  /** Resolves once everything written is handed over, or after a second. */
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

const chunkCharacters = 64 * 1024;
/** There is one write a turn of the event loop, and a busy turn makes hundreds of lines. */
const maxWriteBytes = 1024 * 1024;
/** A reader that stands still costs lines, not memory without end. */
const maxBufferedBytes = 16 * 1024 * 1024;
const closeWaitMs = 1000;

/** Lines go out in chunks: when 64 KB have come together, a second after the first of them, and when the process exits. */
export function createLogDestination(options: LogDestinationOptions): LogDestination {
  const { to, onDrop, timers, flushEveryMs = 1000 } = options;
  const stream = createStream(to, onDrop);
  // The stream looks through its whole buffer at every write, so it gets chunks and not lines.
  let chunk = '';
  let cancelTimer: (() => void) | undefined;
  const handOver = (): void => {
    cancelTimer?.();
    cancelTimer = undefined;
    const text = chunk;
    chunk = '';
    if (text !== '' && !stream.destroyed) stream.write(text);
  };
  process.prependListener('exit', handOver);
  return {
    write(line) {
      chunk += line;
      if (chunk.length >= chunkCharacters) handOver();
      else cancelTimer ??= timers.after(flushEveryMs, handOver);
    },
    flush: handOver,
    async close() {
      process.off('exit', handOver);
      handOver();
      await flushed(stream, timers);
      if (!stream.destroyed) stream.destroy();
    },
  };
}

type Stream = ReturnType<typeof pino.destination> & { readonly destroyed: boolean };

function createStream(to: number | string, onDrop: (lines: number) => void): Stream {
  const stream = pino.destination({
    dest: to,
    sync: false,
    minLength: 0,
    maxLength: maxBufferedBytes,
    maxWrite: maxWriteBytes,
  });
  stream.on('drop', (text: string) => onDrop(text.split('\n').length - 1));
  // Without a listener a full disk would be an uncaught exception.
  stream.on('error', () => onDrop(1));
  // The declared type leaves `destroyed` out.
  return stream as Stream;
}

/** Waits for the write under way too, which `flushSync` would overtake. */
function flushed(stream: Stream, timers: Timers): Promise<void> {
  return new Promise((resolve) => {
    const cancel = timers.after(closeWaitMs, resolve);
    stream.flush(() => {
      cancel();
      resolve();
    });
  });
}
