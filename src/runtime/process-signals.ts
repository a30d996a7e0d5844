import type { Clock } from '../core/ports.ts';

/** Of Node's `process`, what serving needs. */
export interface ProcessPort {
  on(event: string, listener: (value: unknown) => void): unknown;
  off(event: string, listener: (value: unknown) => void): unknown;
  exit(code: number): void;
}

export type StopSignal = 'SIGTERM' | 'SIGINT';

/** By convention 128 and the number of the signal. */
const exitCodes: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

export interface StopSignals {
  /** Resolves with the first signal that asks to stop. */
  readonly first: Promise<StopSignal>;
  close(): void;
}

export interface StopSignalOptions {
  readonly process: ProcessPort;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Called before a second signal ends the process at once. */
  readonly onForced?: (signal: StopSignal) => void;
}

/** npm, a shell and a terminal each pass Ctrl-C on: a signal this soon after the first, in milliseconds, is the same one. */
const echoMs = 500;

/** Listens for SIGTERM and SIGINT: the first resolves `first`, its echo is nothing, a later one ends the process at once with 143 or 130. */
export function watchStopSignals({ process, clock, onForced }: StopSignalOptions): StopSignals {
  let firstAt: number | undefined;
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  const listener = (signal: StopSignal) => (): void => {
    const now = clock.monotonic();
    if (firstAt === undefined) {
      firstAt = now;
      resolve(signal);
    } else if (now - firstAt >= echoMs) {
      onForced?.(signal);
      process.exit(exitCodes[signal]);
    }
  };
  const listeners = [
    ['SIGTERM', listener('SIGTERM')],
    ['SIGINT', listener('SIGINT')],
  ] as const;
  for (const [signal, listen] of listeners) process.on(signal, listen);
  return {
    first: promise,
    close: () => {
      for (const [signal, listen] of listeners) process.off(signal, listen);
    },
  };
}
