import type { Timers } from '../core/ports.ts';
import { ApiFailure } from './api-failure.ts';
import type { Collection } from './collection.ts';
import type { KubernetesApi, WatchEvent } from './kubernetes-api.ts';

export interface WatchOptions {
  /** After which version. */
  readonly resourceVersion: string;
  /** How long the server is asked to keep it open, milliseconds. */
  readonly watchMs: number;
  /** Silence for longer means that it is dead, milliseconds. */
  readonly silenceMs: number;
  /** When it is ended in any case, milliseconds. */
  readonly endAfterMs: number;
  readonly signal: AbortSignal;
  /** Called when the server has accepted the watch. */
  readonly onOpen: () => void;
  readonly onEvents: (events: readonly WatchEvent[]) => void;
}

/** Watches until the server, the time or the signal ends it. Throws an ApiFailure where it is refused, cut or silent, and whatever `onEvents` throws. */
export async function watchOnce(
  { api, timers }: { readonly api: KubernetesApi; readonly timers: Timers },
  { path, query, name, bounds }: Collection,
  options: WatchOptions,
): Promise<void> {
  const { resourceVersion, watchMs, silenceMs } = options;
  // It may have been given up while the list was taken in.
  if (options.signal.aborted) return;
  const guard = openWatchGuard(options.signal, timers, silenceMs);
  const cancelEnd = timers.after(options.endAfterMs, () => guard.stop());
  const timeoutSeconds = `${Math.max(1, Math.round(watchMs / 1000))}`;
  const asked = { ...query, watch: 'true', allowWatchBookmarks: 'true', resourceVersion, timeoutSeconds };
  const sayIfSilent = (): void => {
    if (guard.isSilent()) throw new ApiFailure('api_silent', `the watch of ${name} was silent for ${silenceMs} ms`);
  };
  try {
    const events = await api.watch({ path, query: asked, bounds, signal: guard.signal });
    options.onOpen();
    for await (const batch of events) {
      guard.heard();
      options.onEvents(batch);
    }
    sayIfSilent();
  } catch (thrown) {
    // Silent already while it was opened.
    sayIfSilent();
    throw thrown;
  } finally {
    cancelEnd();
    guard.close();
  }
}

/** The life of one watch: it ends from outside, or when nothing was heard for too long. */
interface WatchGuard {
  readonly signal: AbortSignal;
  heard(): void;
  isSilent(): boolean;
  stop(): void;
  close(): void;
}

/** Ends a watch from which nothing is heard for too long. */
function openWatchGuard(outer: AbortSignal, timers: Timers, silenceMs: number): WatchGuard {
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
