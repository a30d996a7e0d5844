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

/** Listens for SIGTERM and SIGINT: the first resolves `first`, a second one ends the process at once with 143 or 130. */
export function watchStopSignals(process: ProcessPort): StopSignals {
  let seen = false;
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  const listener = (signal: StopSignal) => (): void => {
    if (seen) process.exit(exitCodes[signal]);
    seen = true;
    resolve(signal);
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
