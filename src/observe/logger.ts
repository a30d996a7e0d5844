import { pino } from 'pino';
import type { Clock, Logger } from '../core/ports.ts';
import { compileIsoTime } from './iso-time.ts';

/** Where log lines go. */
export interface LogDestination {
  /** Takes one line with its newline; buffers, never throws and never waits. */
  write(line: string): void;
  /** The same of a line that is bytes already, which are copied. */
  append(line: Uint8Array): void;
  /** Hands what is buffered to the system now. */
  flush(): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly clock: Clock;
  readonly destination: LogDestination;
  /** In every line, where it is given: which worker process wrote it. */
  readonly worker?: number | undefined;
}

/**
 * A Logger that writes one JSON object a line: `level` (its name), `time` (RFC 3339), the fields, `msg`. Warnings and errors are handed over at
 * once. There is no redaction: no caller may put a secret in.
 */
export function createLogger({ level, clock, destination, worker }: LoggerOptions): Logger {
  const time = compileIsoTime(clock);
  const log = pino(
    {
      level,
      base: worker === undefined ? null : { worker },
      timestamp: () => `,"time":"${time()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => destination.write(line) },
  );
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => {
      log.warn(fields, message);
      destination.flush();
    },
    error: (fields, message) => {
      log.error(fields, message);
      destination.flush();
    },
  };
}
