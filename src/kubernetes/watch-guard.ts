import type { Timers } from '../core/ports.ts';

/** The life of one watch: it ends from outside, or when nothing was heard for too long. */
export interface WatchGuard {
  readonly signal: AbortSignal;
  heard(): void;
  isSilent(): boolean;
  stop(): void;
  close(): void;
}

/** Ends a watch from which nothing is heard for too long. */
export function openWatchGuard(outer: AbortSignal, timers: Timers, silenceMs: number): WatchGuard {
  const ended = new AbortController();
  let silent = false;
  const stop = (): void => ended.abort();
  const arm = (): (() => void) =>
    timers.after(silenceMs, () => {
      silent = true;
      stop();
    });
  let cancel = arm();
  if (outer.aborted) stop();
  outer.addEventListener('abort', stop);
  return {
    signal: ended.signal,
    heard: () => {
      cancel();
      cancel = arm();
    },
    isSilent: () => silent,
    stop,
    close: () => {
      cancel();
      outer.removeEventListener('abort', stop);
    },
  };
}
