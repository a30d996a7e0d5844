import type { Environment } from './install-in-cache.ts';

const pollMs = 500;

export interface ParentWatch {
  /** Aborted when the npm that started this process is gone. Never, where it was not started by npm. */
  readonly signal: AbortSignal;
  close(): void;
}

/** Watches npm, which passes SIGTERM on and can pass nothing on when it is killed: nobody would end what it started. */
export function watchParent(environment: Environment): ParentWatch {
  const gone = new AbortController();
  if (environment['npm_lifecycle_event'] === undefined) return { signal: gone.signal, close: () => undefined };
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) gone.abort();
  }, pollMs);
  timer.unref();
  return { signal: gone.signal, close: () => clearInterval(timer) };
}
